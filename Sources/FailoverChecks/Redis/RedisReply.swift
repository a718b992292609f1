import FailoverCore

/// What a Redis server answers to a command of a ping.
enum RedisReply: Equatable {
    /// A status or a text.
    case text(String)
    /// A refusal.
    case error(RedisError)
    /// An answer that no command of a ping has.
    case other
}

/// A refusal of a Redis server: `NOAUTH Authentication required.`
struct RedisError: Equatable {
    let text: String

    /// The word that the text begins with; `ERR` says nothing.
    private var code: Substring { text.prefix { $0 != " " } }

    /// Whether the user is known, and may only not do this.
    var isOfPermission: Bool { code == "NOPERM" }

    /// What the error means at a stage of the ping.
    func reason(at stage: PingFailure.Stage) -> PingFailure.Reason {
        switch code {
        case "LOADING": .startingUp
        case "MASTERDOWN", "CLUSTERDOWN": .cutOff
        case "NOAUTH", "WRONGPASS": .authentication
        // Protected mode: no password is set, and the ping comes from another machine.
        case "DENIED": .hostBlocked
        default:
            if text.contains("max number of clients") {
                .tooManyConnections
            } else {
                stage == .login ? .authentication : .query
            }
        }
    }
}
