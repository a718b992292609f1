package import FailoverCore

/// A way to tell somebody of events.
package protocol Notifier: Sendable {
    /// What it is, in log lines; holds no secret.
    var name: String { get }

    /// Tells of one event.
    ///
    /// - Parameter limit: for one attempt; an implementation that tries again says how often.
    /// - Throws: an error whose description says why nobody was told, without a secret.
    func deliver(_ event: FailoverEvent, limit: Duration) async throws
}

/// Nobody could be told of an event.
package struct NotifierError: Error, Hashable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
