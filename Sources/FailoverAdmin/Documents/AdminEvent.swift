package import FailoverCore
import FailoverSystem

/// Something that happened and that somebody on call wants to know: an outage, a recovery, a replica whose data
/// is too old, what an operator did.
package struct AdminEvent: Codable, Sendable {
    package enum Kind: String, Codable, Sendable {
        case outage, reminder, recovery, `switch`, release, drain, undrain, close, reload, stale, fresh, degraded,
            healthy, moved, drill
        case drillEnd = "drill_end"
    }

    /// Counts from 1 in each process.
    package internal(set) var id = 0
    package let time: String
    package let kind: Kind
    /// The service, route or alias that it happened to.
    package let subject: String
    package let message: String
    @Nullable package var reason: String?
    @Nullable package var detail: String?
    @Nullable package var currentAlias: String?

    /// What an operator did, or what became of an alias.
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
