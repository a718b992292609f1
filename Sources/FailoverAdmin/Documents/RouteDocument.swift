/// One route of ``StatusDocument``.
package struct RouteDocument: Hashable, Decodable, Sendable {
    package enum Why: String, Decodable, Sendable {
        case preferred, failover, pinned, closed
        case nothingUp = "nothing_up"
    }

    package struct Pin: Hashable, Decodable, Sendable {
        package var alias: String
        package var until: String?

        package init(alias: String, until: String?) {
            self.alias = alias
            self.until = until
        }
    }

    package struct Closure: Hashable, Decodable, Sendable {
        package var service: String
        package var message: String

        package init(service: String, message: String) {
            self.service = service
            self.message = message
        }
    }

    package struct Alias: Hashable, Decodable, Sendable {
        package var name: String
        package var address: String
        /// `up` or `down`, according to its pings.
        package var state: String
        package var suspect: Bool
        /// `open`, or `full` or `blocked` while the server refuses new sessions.
        package var availability: String
        /// Why the server refuses the monitor's pings; null if it does not refuse them.
        package var degraded: String?
        /// Why the alias should not serve although it is up: its data is too old.
        package var stale: String?
        /// How many seconds the data is behind that of the primary; null if the latest ping could not determine it.
        package var lagSeconds: Double?
        /// The TLS version of the latest ping that succeeded, such as `TLSv1.3`; null without TLS.
        package var tlsVersion: String?
        /// When the server's certificate ends, according to that ping.
        package var certificateEnds: String?
        package var draining: Bool
        /// The time at which the outage drill ends. Until then the alias counts as down, regardless of its state.
        package var drill: String?
        /// Whether new sessions go to this alias. Several aliases of a route may serve side by side.
        package var serving: Bool
        /// Sessions of this route that the alias serves now.
        package var sessions: Int
        /// Sessions of this route that the alias has served, including the open ones.
        package var served: Int

        package init(
            name: String, address: String, state: String, suspect: Bool, availability: String = "open",
            degraded: String? = nil, stale: String? = nil, lagSeconds: Double? = nil, tlsVersion: String? = nil,
            certificateEnds: String? = nil, draining: Bool, drill: String? = nil, serving: Bool, sessions: Int,
            served: Int
        ) {
            self.name = name
            self.address = address
            self.state = state
            self.suspect = suspect
            self.availability = availability
            self.degraded = degraded
            self.stale = stale
            self.lagSeconds = lagSeconds
            self.tlsVersion = tlsVersion
            self.certificateEnds = certificateEnds
            self.draining = draining
            self.drill = drill
            self.serving = serving
            self.sessions = sessions
            self.served = served
        }
    }

    package struct Sessions: Hashable, Decodable, Sendable {
        package var open: Int
        package var total: Int
        package var refused: Int
        /// Sessions that were served by another alias after one had failed.
        package var retried: Int
        /// Sessions that were closed at a safe point, so that they move to a better alias.
        package var moved: Int
        /// Sessions that wait until they can be moved.
        package var moving: Int
        /// Those of `moving` that the proxy cannot read and that their server has not said to be at a boundary.
        package var movingUnreadable: Int
        /// Sessions that wait because `max_connections` is reached; see `queue_timeout`.
        package var queued: Int

        package init(
            open: Int, total: Int, refused: Int, retried: Int, moved: Int, moving: Int = 0, movingUnreadable: Int = 0,
            queued: Int = 0
        ) {
            self.open = open
            self.total = total
            self.refused = refused
            self.retried = retried
            self.moved = moved
            self.moving = moving
            self.movingUnreadable = movingUnreadable
            self.queued = queued
        }
    }

    package var name: String
    package var engine: String
    package var listen: [String]
    /// When the proxy's certificate ends, where TLS with clients ends at the proxy.
    package var certificateEnds: String?
    /// The alias that serves; the first one if several do.
    package var currentAlias: String?
    package var why: Why
    /// Why the aliases before the current one do not serve.
    package var reason: String?
    package var pinned: Pin?
    package var closed: Closure?
    package var aliases: [Alias]
    package var sessions: Sessions
    /// The number of sessions that arrived in each of the last seconds, oldest first.
    package var newSessions: [Int]

    package init(
        name: String, engine: String, listen: [String], certificateEnds: String? = nil, currentAlias: String?, why: Why,
        reason: String?, pinned: Pin?, closed: Closure?, aliases: [Alias], sessions: Sessions, newSessions: [Int]
    ) {
        self.name = name
        self.engine = engine
        self.listen = listen
        self.certificateEnds = certificateEnds
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

extension RouteDocument: JSONValue {
    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("name", name)
            json.field("engine", engine)
            json.field("listen", listen)
            json.field("certificate_ends", certificateEnds)
            json.field("current_alias", currentAlias)
            json.field("why", why.rawValue)
            json.field("reason", reason)
            json.field("pinned", pinned)
            json.field("closed", closed)
            json.field("aliases", aliases)
            json.field("sessions", sessions)
            json.field("new_sessions", newSessions)
        }
    }
}

extension RouteDocument.Pin: JSONValue {
    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("alias", alias)
            json.field("until", until)
        }
    }
}

extension RouteDocument.Closure: JSONValue {
    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("service", service)
            json.field("message", message)
        }
    }
}

extension RouteDocument.Alias: JSONValue {
    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("name", name)
            json.field("address", address)
            json.field("state", state)
            json.field("suspect", suspect)
            json.field("availability", availability)
            json.field("degraded", degraded)
            json.field("stale", stale)
            json.field("lag_seconds", lagSeconds)
            json.field("tls_version", tlsVersion)
            json.field("certificate_ends", certificateEnds)
            json.field("draining", draining)
            json.field("drill", drill)
            json.field("serving", serving)
            json.field("sessions", sessions)
            json.field("served", served)
        }
    }
}

extension RouteDocument.Sessions: JSONValue {
    package func write(to json: inout JSONWriter) {
        json.object { json in
            json.field("open", open)
            json.field("total", total)
            json.field("refused", refused)
            json.field("retried", retried)
            json.field("moved", moved)
            json.field("moving", moving)
            json.field("moving_unreadable", movingUnreadable)
            json.field("queued", queued)
        }
    }
}
