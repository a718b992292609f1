import FailoverAdmin
import FailoverCore
import FailoverSystem

/// A status document as text, for 80 columns.
struct StatusReport {
    private let status: StatusDocument

    init(_ status: StatusDocument) { self.status = status }

    func text(colour: Bool) -> String {
        var blocks = [head]
        for route in status.routes { blocks.append(text(of: route, colour: colour)) }
        if !status.services.isEmpty { blocks.append(services(colour: colour)) }
        if !status.settings.isEmpty {
            blocks.append(
                "SETTINGS\n" + status.settings.sorted { $0.key < $1.key }.map { "\($0)=\($1)" }.joined(separator: "\n"))
        }
        return blocks.joined(separator: "\n\n")
    }

    private var head: String {
        let state = status.stopping ? "stopping" : status.ready ? "ready" : "not ready"
        return
            "failover \(status.version) on \(status.host), process \(status.processId), up \(age(status.started)), \(state)"
    }

    private func text(of route: RouteDocument, colour: Bool) -> String {
        let certificate = route.certificateEnds.map { ", certificate \(TextTable.until($0))" } ?? ""
        var lines = ["ROUTE \(route.name) (\(route.engine)) on \(route.listen.joined(separator: ", "))\(certificate)"]
        lines.append("  " + serving(route))
        var table = TextTable([
            .init(heading: "ALIAS"), .init(heading: "STATE"), .init(heading: "SESSIONS", isNumeric: true),
            .init(heading: "ADDRESS"), .init(heading: "TLS", isOptional: true),
            .init(heading: "CERTIFICATE", isOptional: true),
        ])
        for alias in route.aliases {
            let marks = [
                alias.suspect ? "suspect" : nil, alias.availability == "open" ? nil : alias.availability,
                alias.degraded == nil ? nil : "degraded", alias.stale == nil ? nil : "stale",
                alias.draining ? "draining" : nil,
                alias.lagSeconds.map { "\(Duration(foreignSeconds: $0).inWords) behind" },
            ].compactMap { $0 }
            table.add([
                (alias.serving ? "→ " : "  ") + alias.name,
                ([Self.state(of: alias)] + marks).joined(separator: ", "), "\(alias.sessions)", alias.address,
                alias.tlsVersion ?? "", TextTable.until(alias.certificateEnds),
            ])
        }
        let colours = route.aliases.map {
            Self.colour(
                of: $0.drill == nil ? $0.state : "down",
                isDoubtful: $0.suspect || $0.availability != "open" || $0.degraded != nil || $0.stale != nil
                    || $0.draining)
        }
        lines += table.lines(colouring: 1, colour ? colours : nil).map { "  " + $0 }
        return lines.joined(separator: "\n")
    }

    /// An alias in a drill counts as down, regardless of its own state.
    private static func state(of alias: RouteDocument.Alias) -> String {
        guard alias.drill != nil else { return alias.state }
        return alias.state == "down" ? "down, drill" : "down (drill)"
    }

    private func serving(_ route: RouteDocument) -> String {
        let total = route.sessions.total
        let waiting = route.sessions.queued > 0 ? ", \(route.sessions.queued) queued" : ""
        let counts =
            "\(total) \(total == 1 ? "session" : "sessions") so far, \(route.sessions.refused) refused\(waiting)"
        if let closed = route.closed {
            return "closed by the outage of \(closed.service): \(closed.message); \(counts)"
        }
        let why: String =
            switch route.why {
            case .preferred: route.reason.map { " (\($0))" } ?? ""
            case .failover: " (\(route.reason ?? "failover"))"
            case .pinned: " (switched" + (route.pinned?.until.map { " until \($0)" } ?? "") + ")"
            case .nothingUp, .closed: " (\(route.reason ?? "nothing is up"))"
            }
        let serving = route.aliases.filter(\.serving).map(\.name)
        return "served by \(serving.isEmpty ? "no alias" : serving.joined(separator: ", "))\(why); \(counts)"
    }

    private func services(colour: Bool) -> String {
        var table = TextTable([
            .init(heading: "SERVICE"), .init(heading: "TYPE"), .init(heading: "STATE"),
            .init(heading: "FOR", isNumeric: true), .init(heading: "PING", isNumeric: true), .init(heading: "WHY"),
        ])
        for service in status.services {
            let ping = service.lastPing.map {
                $0.succeeded ? Duration(foreignSeconds: $0.durationMs / 1000).inWords : "failed"
            }
            let why = service.detail ?? (service.lastPing?.succeeded == false ? service.lastPing?.detail : nil)
            table.add([
                service.name, service.type,
                ([service.state] + (service.suspect ? ["suspect"] : []) + (service.degraded ? ["degraded"] : []))
                    .joined(separator: ", "),
                age(service.since), ping ?? "none yet", why ?? "",
            ])
        }
        let colours = status.services.map { Self.colour(of: $0.state, isDoubtful: $0.suspect || $0.degraded) }
        return table.lines(colouring: 2, colour ? colours : nil).joined(separator: "\n")
    }

    private static func colour(of state: String, isDoubtful: Bool) -> Int {
        state == "down" ? Terminal.red : isDoubtful ? Terminal.yellow : Terminal.green
    }

    /// The duration from `time` to the time of the status, in words.
    private func age(_ time: String) -> String {
        guard let now = WallTime(text: status.time), let then = WallTime(text: time) else { return "?" }
        return (now.sinceEpoch - then.sinceEpoch).inWords
    }
}
