/** The API group of all custom resources, and the version served. */
export const GROUP = 'userns-audit.dev';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}`;

/** The one AuditPolicy that counts. */
export const POLICY_NAME = 'cluster';
/** The one NamespaceAudit of a namespace. */
export const NAMESPACE_AUDIT_NAME = 'userns-audit';

/** Who owns which fields (server-side apply). */
export const AGENT_FIELD_MANAGER = 'userns-audit-agent';
export const CONTROLLER_FIELD_MANAGER = 'userns-audit-controller';
