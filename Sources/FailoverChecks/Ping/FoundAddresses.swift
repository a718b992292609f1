package import FailoverCore

/// Where a ping looks for its server.
package struct FoundAddresses: Hashable, Sendable {
    /// In order of preference; never empty.
    package let addresses: [SocketAddress]
    /// Which of several servers it is; `nil` of one that has no alternatives.
    package let server: Endpoint?
    /// Whether a server has answered at the first of them, be it with a refusal. Else they are what the name look-up
    /// said, and nobody knows yet whether there is anybody.
    package let isTested: Bool

    init(_ addresses: [SocketAddress], server: Endpoint? = nil, isTested: Bool) {
        self.addresses = addresses
        self.server = server
        self.isTested = isTested
    }

    /// Whether they are to take the place of those that are known: the name is new or has moved altogether, or it is
    /// known now who answers.
    package func replace(_ known: [SocketAddress]) -> Bool { isTested || Set(known).isDisjoint(with: addresses) }
}
