package import FailoverCore
import FailoverSystem

/// An event that matters to an operator: an outage, a recovery, a replica whose data is too old, an action of an
/// operator.
package struct AdminEvent: Decodable, Sendable {
    package enum Kind: String, Decodable, Sendable {
        case outage, reminder, recovery, `switch`, release, drain, undrain, close, reload, stale, fresh, degraded,
            healthy, moved, drill
        case drillEnd = "drill_end"
    }

    /// The number of the event. Each process starts with 1.
    package internal(set) var id = 0
    package let time: String
    package let kind: Kind
    /// The service, route or alias of the event.
    package let subject: String
    package let message: String
    package var reason: String?
    package var detail: String?
    package var currentAlias: String?

    /// An action of an operator, or a change of an alias.
    package init(
        _ kind: Kind, _ subject: String, _ message: String, at time: WallTime, detail: String? = nil,
        currentAlias: String? = nil
    ) {
        self.time = time.text
        self.kind = kind
        self.subject = subject
        self.message = message
        self.detail = detail
        self.currentAlias = currentAlias
    }

    package init(_ event: FailoverEvent) {
        time = event.time.text
        kind =
            switch event.kind.name {
            case .outage: .outage
            case .reminder: .reminder
            case .recovery: .recovery
            case .stale: .stale
            case .fresh: .fresh
            case .degraded: .degraded
            case .healthy: .healthy
            }
        subject = event.service
        message = event.message
        reason = event.failure?.reason.description
        detail = event.detail
        currentAlias = event.currentAlias
    }
}

extension AdminEvent: JSONValue {
    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("id", id)
            json.field("time", time)
            json.field("kind", kind.rawValue)
            json.field("subject", subject)
            json.field("message", message)
            json.field("reason", reason)
            json.field("detail", detail)
            json.field("current_alias", currentAlias)
        }
    }
}
