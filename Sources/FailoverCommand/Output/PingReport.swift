import Failover
import FailoverCore

/// The results of pings, for people and for programs.
struct PingReport {
    /// One target and its answer.
    typealias Answer = (target: PingTarget, result: PingResult)

    let answers: [Answer]

    var isAllUp: Bool { answers.allSatisfy(\.result.succeeded) }

    /// One line per target, under headings. A target that is up shows its address, one that is down shows the reason.
    ///
    /// - Parameter colour: whether to print up in green, stale, degraded and unknown in yellow, and down in red.
    func table(colour: Bool) -> String {
        var table = TextTable([
            .init(heading: "NAME"), .init(heading: "TYPE"), .init(heading: "STATE"),
            .init(heading: "TIME", isNumeric: true), .init(heading: "TLS", isOptional: true),
            .init(heading: "CERTIFICATE", isOptional: true), .init(heading: "REASON"), .init(heading: "DETAIL"),
        ])
        for (target, result) in answers {
            table.add([
                target.name, target.type, Self.state(result), result.duration.inWords, result.tls?.version ?? "",
                TextTable.until(result.tls?.certificateEnds?.text),
                result.failure?.reason.description ?? "",
                result.failure?.detail ?? result.staleness?.description ?? target.location,
            ])
        }
        let colours = answers.map { Self.colour($0.result) }
        return table.lines(colouring: 2, colour ? colours : nil).joined(separator: "\n")
    }

    /// An array with one object per target. Every key is always present.
    func json() throws -> String { try answers.map(Entry.init).jsonText() }

    /// `degraded`: the server is alive but refuses the monitor. `unknown`: this machine could not send the ping.
    private static func state(_ result: PingResult) -> String {
        switch result.failure?.kind {
        case nil: result.staleness == nil ? "up" : "stale"
        case .refusal: "degraded"
        case .local: "unknown"
        case .dead: "down"
        }
    }

    private static func colour(_ result: PingResult) -> Int {
        switch result.failure?.kind {
        case nil: result.staleness == nil ? Terminal.green : Terminal.yellow
        case .refusal, .local: Terminal.yellow
        case .dead: Terminal.red
        }
    }

    private struct Entry: Encodable {
        let name: String
        let type: String
        let location: String
        let state: String
        let durationMilliseconds: Double
        let reason: String?
        let detail: String?
        let tlsVersion: String?
        let certificateEnds: String?

        init(_ answer: Answer) {
            name = answer.target.name
            type = answer.target.type
            location = answer.target.location
            state = PingReport.state(answer.result)
            durationMilliseconds = (answer.result.duration / .microseconds(1)).rounded() / 1000
            reason = answer.result.failure?.reason.description
            detail = answer.result.failure?.detail ?? answer.result.staleness?.description
            tlsVersion = answer.result.tls?.version
            certificateEnds = answer.result.tls?.certificateEnds?.text
        }

        private enum CodingKeys: String, CodingKey {
            case name, type, location, state, reason, detail
            case durationMilliseconds = "duration_ms"
            case tlsVersion = "tls_version"
            case certificateEnds = "certificate_ends"
        }

        func encode(to encoder: any Encoder) throws {
            var object = encoder.container(keyedBy: CodingKeys.self)
            try object.encode(name, forKey: .name)
            try object.encode(type, forKey: .type)
            try object.encode(location, forKey: .location)
            try object.encode(state, forKey: .state)
            try object.encode(durationMilliseconds, forKey: .durationMilliseconds)
            try object.encode(reason, forKey: .reason)
            try object.encode(detail, forKey: .detail)
            try object.encode(tlsVersion, forKey: .tlsVersion)
            try object.encode(certificateEnds, forKey: .certificateEnds)
        }
    }
}
