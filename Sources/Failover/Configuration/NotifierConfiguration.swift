public import FailoverCore
public import FailoverNotify

/// One entry of `notify`: who is told of events, and of which.
public struct NotifierConfiguration: Hashable, Sendable {
    /// How somebody is told.
    public enum Kind: Hashable, Sendable {
        /// `webhook`: the event as the body of an HTTP POST. The URL often holds a token.
        case webhook(url: Secret, format: WebhookFormat, tlsAuthorities: String?)
        /// `command`: the event as JSON on a command's standard input.
        case command([String])
        /// `mail`: through sendmail(8).
        case mail(to: [String], from: String, sendmail: String)
    }

    public var kind: Kind
    /// The services whose events are told; `nil`, the default, is all of them.
    public var services: Set<String>?
    /// The events that are told; all of them by default.
    public var events: Set<FailoverEvent.Kind.Name>
    /// Time limit of one attempt. `timeout`, 10 s.
    public var timeout: Duration

    public init(
        kind: Kind, services: Set<String>? = nil,
        events: Set<FailoverEvent.Kind.Name> = Set(FailoverEvent.Kind.Name.allCases), timeout: Duration = .seconds(10)
    ) {
        self.kind = kind
        self.services = services
        self.events = events
        self.timeout = timeout
    }
}
