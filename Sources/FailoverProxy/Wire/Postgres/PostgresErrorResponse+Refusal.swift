import FailoverCore

extension PostgresErrorResponse {
    /// What a refusal with this code says of the server; `nil` for errors that are the client's own.
    var refusal: BackendErrorKind? {
        switch sqlState {
        case "57P01", "57P02", "57P03": .serverShutdown
        default: isForLackOfRoom ? .tooManyConnections : poolerRefusal?.kind
        }
    }
}
