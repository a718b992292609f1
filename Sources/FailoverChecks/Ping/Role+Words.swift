import FailoverCore

extension DatabaseServer.Role {
    /// What is wrong with a server that is not of this role.
    var contradiction: String {
        switch self {
        case .replica: "is a primary, not a replica: it was promoted"
        case .primary: "is a replica, not a primary"
        }
    }
}
