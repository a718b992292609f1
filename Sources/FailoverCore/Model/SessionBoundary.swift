/// What is known of a session's transactions. A session can be moved without loss at a transaction boundary: between
/// two transactions, when its server owes no answer.
package enum SessionBoundary: String, Hashable, Sendable, Decodable {
    /// The proxy reads the session: it is at a transaction boundary.
    case yes
    /// The proxy cannot read the session, and its server has said that it is at a transaction boundary.
    case attested
    /// The proxy reads the session: it is within a transaction, or its server owes an answer.
    case no
    /// The proxy cannot read the session, because it is encrypted or compressed.
    case unknown

    /// Whether the session is at a boundary; `nil` if that is unknown.
    package var isReached: Bool? {
        switch self {
        case .yes, .attested: true
        case .no: false
        case .unknown: nil
        }
    }
}
