/// One route of ``StatusDocument``.
package struct RouteDocument: Codable, Sendable {
    package enum Why: String, Codable, Sendable {
        case preferred, failover, pinned, closed
        case nothingUp = "nothing_up"
    }

    package struct Pin: Codable, Sendable {
        package var alias: String
        @Nullable package var until: String?

        package init(alias: String, until: String?) {
            self.alias = alias
            self.until = until
        }
    }

    package struct Closure: Codable, Sendable {
        package var service: String
        package var message: String

        package init(service: String, message: String) {
            self.service = service
            self.message = message
        }
    }

    package struct Alias: Codable, Sendable {
        package var name: String
        package var address: String
        /// `up` or `down`, as its pings have it.
        package var state: String
        package var suspect: Bool
        /// `open`, or `full` or `blocked` while its server refuses new sessions.
        package var availability: String
        /// What its server says while it refuses the monitor; null while it does not.
        @Nullable package var degraded: String?
        /// Why it is not to serve although it is up: its data is too old.
        @Nullable package var stale: String?
        /// By how many seconds its data is behind its primary's; null when the latest ping does not know.
        @Nullable package var lagSeconds: Double?
        package var draining: Bool
        /// Until when it counts as down, whatever its state, because an operator rehearses its outage.
        @Nullable package var drill: String?
        /// Whether new sessions go to it; to several where these serve side by side.
        package var serving: Bool
        /// Those of this route that it serves now.
        package var sessions: Int
        /// Those of this route that it has served, the present ones included.
        package var served: Int

        package init(
            name: String, address: String, state: String, suspect: Bool, availability: String = "open",
            degraded: String? = nil, stale: String? = nil,
            lagSeconds: Double? = nil, draining: Bool, drill: String? = nil, serving: Bool, sessions: Int, served: Int
        ) {
            self.name = name
            self.address = address
            self.state = state
            self.suspect = suspect
            self.availability = availability
            self.degraded = degraded
            self.stale = stale
            self.lagSeconds = lagSeconds
            self.draining = draining
            self.drill = drill
            self.serving = serving
            self.sessions = sessions
            self.served = served
        }
    }

    package struct Sessions: Codable, Sendable {
        package var open: Int
        package var total: Int
        package var refused: Int
        /// That another alias served after one had failed.
        package var retried: Int
        /// Closed where it was safe, so that they move to a better alias.
        package var moved: Int
        /// That wait for a place: `queue_timeout`.
        package var queued: Int

        package init(open: Int, total: Int, refused: Int, retried: Int, moved: Int, queued: Int = 0) {
            self.open = open
            self.total = total
            self.refused = refused
            self.retried = retried
            self.moved = moved
            self.queued = queued
        }
    }

    package var name: String
    package var engine: String
    package var listen: [String]
    /// Who serves; the first, where several do.
    @Nullable package var currentAlias: String?
    package var why: Why
    /// Why those before the current alias do not serve.
    @Nullable package var reason: String?
    @Nullable package var pinned: Pin?
    @Nullable package var closed: Closure?
    package var aliases: [Alias]
    package var sessions: Sessions
    /// Sessions that arrived in each of the last seconds, oldest first.
    package var newSessions: [Int]

    package init(
        name: String, engine: String, listen: [String], currentAlias: String?, why: Why, reason: String?, pinned: Pin?,
        closed: Closure?, aliases: [Alias], sessions: Sessions, newSessions: [Int]
    ) {
        self.name = name
        self.engine = engine
        self.listen = listen
        self.currentAlias = currentAlias
        self.why = why
        self.reason = reason
        self.pinned = pinned
        self.closed = closed
        self.aliases = aliases
        self.sessions = sessions
        self.newSessions = newSessions
    }
}
