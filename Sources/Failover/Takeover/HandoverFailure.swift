import FailoverCore

/// A failed ping, as one process sends it to the next.
///
/// The message contains codes that stay the same if names in the sources change. `code` is the exact reason. `reason`
/// has the format of 0.1.0 and contains the nearest reason that 0.1.0 can read.
struct HandoverFailure: Codable, Hashable, Sendable {
    /// The code of the reason; `nil` in a message of 0.1.0.
    let code: String?
    /// The code of the stage that timed out; `nil` for other reasons, and in a message of 0.1.0.
    let stage: String?
    let reason: ReasonOf010
    let detail: String

    init(_ failure: PingFailure) {
        code = failure.reason.codes.code
        reason = ReasonOf010(failure.reason)
        detail = failure.detail
        if case .timeout(let stage) = failure.reason { self.stage = stage.codes.code } else { stage = nil }
    }

    /// The failure. If this version does not know the code, the reason is the one that the other process wrote for
    /// 0.1.0.
    var failure: PingFailure { PingFailure(exactReason ?? reason.reason, detail) }

    private var exactReason: PingFailure.Reason? {
        guard let code else { return nil }
        if code == PingFailure.Reason.timeout(.ping).codes.code {
            return stage.flatMap(PingFailure.Stage.init(code:)).map { .timeout($0) }
        }
        if code == PingFailure.Reason.serversDown([]).codes.code { return .serversDown(reason.servers ?? []) }
        return PingFailure.Reason.plain.first { $0.codes.code == code }
    }
}

/// The reason of a failed ping in the format of 0.1.0: an object with one key, the name of the reason. Its value
/// contains the associated value as `_0`. `{"refused":{}}`, `{"timeout":{"_0":"logging in"}}`,
/// `{"serversDown":{"_0":["a"]}}`.
struct ReasonOf010: Codable, Hashable, Sendable {
    let name: String
    /// The stage that timed out.
    let stage: String?
    /// The servers of a pool that are down.
    let servers: [String]?

    init(_ reason: PingFailure.Reason) {
        name = reason.codes.of010
        if case .timeout(let stage) = reason { self.stage = stage.codes.of010 } else { stage = nil }
        if case .serversDown(let servers) = reason { self.servers = servers } else { servers = nil }
    }

    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    private enum Value: String, CodingKey {
        case first = "_0"
    }

    init(from decoder: any Decoder) throws {
        let reasons = try decoder.container(keyedBy: Name.self)
        guard let only = reasons.allKeys.first, reasons.allKeys.count == 1 else {
            throw DecodingError.dataCorrupted(
                .init(codingPath: reasons.codingPath, debugDescription: "a reason has one name"))
        }
        let value = try reasons.nestedContainer(keyedBy: Value.self, forKey: only)
        name = only.stringValue
        stage = try? value.decode(String.self, forKey: .first)
        servers = try? value.decode([String].self, forKey: .first)
    }

    func encode(to encoder: any Encoder) throws {
        var reasons = encoder.container(keyedBy: Name.self)
        var value = reasons.nestedContainer(keyedBy: Value.self, forKey: Name(stringValue: name))
        try value.encodeIfPresent(stage, forKey: .first)
        try value.encodeIfPresent(servers, forKey: .first)
    }

    /// The reason; `.other` if this version does not know the name.
    var reason: PingFailure.Reason {
        switch name {
        case "serversDown": .serversDown(servers ?? [])
        case "timeout": .timeout(PingFailure.Stage.allCases.first { $0.codes.of010 == stage } ?? .ping)
        default: PingFailure.Reason.plain.first { $0.codes.of010 == name } ?? .other
        }
    }
}

// MARK: - Codes

extension PingFailure.Reason {
    /// The reasons without an associated value, those that 0.1.0 knows first.
    fileprivate static let plain: [PingFailure.Reason] = [
        .refused, .unresolved, .unreachable, .disconnected, .authentication, .startingUp, .shuttingDown,
        .tooManyConnections, .hostBlocked, .tls, .query, .wrongRole, .replicationStopped, .missingPrivilege,
        .protocolViolation, .cutOff, .command, .local, .drill, .other, .userLimit, .unanswered, .heartbeat,
    ]

    /// The code of the reason, and the name of this or the nearest reason in 0.1.0.
    fileprivate var codes: (code: String, of010: String) {
        switch self {
        case .refused: ("refused", "refused")
        case .timeout: ("timeout", "timeout")
        case .unresolved: ("unresolved", "unresolved")
        case .unreachable: ("unreachable", "unreachable")
        case .disconnected: ("disconnected", "disconnected")
        case .authentication: ("authentication", "authentication")
        case .startingUp: ("starting_up", "startingUp")
        case .shuttingDown: ("shutting_down", "shuttingDown")
        case .tooManyConnections: ("too_many_connections", "tooManyConnections")
        case .userLimit: ("user_limit", "tooManyConnections")
        case .hostBlocked: ("host_blocked", "hostBlocked")
        case .tls: ("tls", "tls")
        case .query: ("query", "query")
        case .unanswered: ("unanswered", "query")
        case .heartbeat: ("heartbeat", "query")
        case .wrongRole: ("wrong_role", "wrongRole")
        case .replicationStopped: ("replication_stopped", "replicationStopped")
        case .missingPrivilege: ("missing_privilege", "missingPrivilege")
        case .protocolViolation: ("protocol_violation", "protocolViolation")
        case .cutOff: ("cut_off", "cutOff")
        case .serversDown: ("servers_down", "serversDown")
        case .command: ("command", "command")
        case .local: ("local", "local")
        case .drill: ("drill", "drill")
        case .other: ("other", "other")
        }
    }
}

extension PingFailure.Stage {
    fileprivate init?(code: String) {
        guard let stage = Self.allCases.first(where: { $0.codes.code == code }) else { return nil }
        self = stage
    }

    /// The code of the stage, and its name in 0.1.0.
    fileprivate var codes: (code: String, of010: String) {
        switch self {
        case .lookup: ("lookup", "looking up the name")
        case .connecting: ("connecting", "connecting")
        case .login: ("login", "logging in")
        case .query: ("query", "running the query")
        case .question: ("question", "running the query")
        case .command: ("command", "running the command")
        case .hung: ("hung", "an earlier ping still hangs")
        case .ping: ("ping", "pinging")
        }
    }
}
