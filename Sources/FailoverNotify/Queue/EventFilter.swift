package import FailoverCore

/// Which events somebody wants to hear of.
package struct EventFilter: Hashable, Sendable {
    /// `nil` is all services.
    private let services: Set<String>?
    private let events: Set<FailoverEvent.Kind.Name>

    package init(
        services: Set<String>? = nil, events: Set<FailoverEvent.Kind.Name> = Set(FailoverEvent.Kind.Name.allCases)
    ) {
        self.services = services
        self.events = events
    }

    package func admits(_ event: FailoverEvent) -> Bool {
        events.contains(event.kind.name) && (services?.contains(event.service) ?? true)
    }
}
