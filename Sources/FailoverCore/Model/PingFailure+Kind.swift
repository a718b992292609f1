extension PingFailure {
    /// What a failed ping says of its service.
    public enum Kind: Hashable, Sendable {
        /// No server serves there: it refuses, is silent, starts up, shuts down, has the wrong role, or talks garbage.
        case dead
        /// The server lives and refuses the monitor: it is full, or does not accept the login, or leaves a question without
        /// an answer.
        case refusal
        /// This machine could not ask: it lacks a descriptor, memory, a source port, a file, or an answer of the resolver.
        /// It says nothing of the service.
        case local
    }

    /// What this failure says of its service.
    public var kind: Kind { reason.kind }
}

extension PingFailure.Reason {
    /// Whether the server was found not to be what it should: only an answer can tell that it is again.
    package var isOfRole: Bool { self == .wrongRole || self == .replicationStopped }

    /// What a failure for this reason says of the service.
    public var kind: PingFailure.Kind {
        switch self {
        case .refused, .unreachable, .disconnected, .startingUp, .shuttingDown, .query, .wrongRole, .replicationStopped,
            .protocolViolation, .cutOff, .serversDown, .command, .drill, .other:
            .dead
        case .timeout(.lookup): .local
        case .timeout(.question): .refusal
        case .timeout: .dead
        case .authentication, .tooManyConnections, .userLimit, .hostBlocked, .tls, .unanswered, .heartbeat,
            .missingPrivilege:
            .refusal
        case .unresolved, .local: .local
        }
    }
}
