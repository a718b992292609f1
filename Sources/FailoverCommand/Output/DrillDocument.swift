import Failover
import FailoverAdmin
import FailoverCore

/// The result of a drill, as `failover drill --json` prints it. Times are in milliseconds.
struct DrillDocument: Encodable {
    struct Sessions: Encodable {
        let openBefore: Int
        let openOnAliasBefore: Int
        @Nullable var leftAfterMs: Double?
        let stayed: Int
        /// The number of new sessions by alias.
        let new: [String: Int]
        let refused: Int
        let retried: Int
        /// Sessions that were closed at transaction boundaries so that they return.
        let moved: Int
        @Nullable var firstBackAfterMs: Double?
        @Nullable var allBackAfterMs: Double?
        let notBack: Int
        @Nullable var whyNotBack: String?
    }

    struct Probes: Encodable {
        let count: Int
        let failed: Int
        let cut: Int
        /// The number of failed probes by message.
        let errors: [String: Int]
        /// The number of successful probes by the alias that answered.
        let answeredBy: [String: Int]
        @Nullable var medianMs: Double?
        @Nullable var longestMs: Double?
        @Nullable var longestGapMs: Double?
    }

    let route: String
    let alias: String
    let durationMs: Double
    let passed: Bool
    let problems: [String]
    @Nullable var ending: String?
    let sessions: Sessions
    @Nullable var probes: Probes?
    @Nullable var whyNoProbes: String?

    init(_ outcome: DrillOutcome) {
        let watch = outcome.watch
        route = watch.before.name
        alias = watch.alias
        durationMs = outcome.duration.inMilliseconds
        passed = outcome.hasPassed
        problems = outcome.problems
        ending = outcome.ending
        sessions = Sessions(
            openBefore: watch.openBefore.all, openOnAliasBefore: watch.openBefore.onAlias,
            leftAfterMs: watch.left?.inMilliseconds, stayed: watch.stayed,
            new: Dictionary(watch.newSessions.map { ($0.alias, $0.count) }, uniquingKeysWith: +),
            refused: watch.refused, retried: watch.retried, moved: watch.moved,
            firstBackAfterMs: watch.firstBack?.inMilliseconds, allBackAfterMs: watch.allBack?.inMilliseconds,
            notBack: watch.notBack, whyNotBack: outcome.whyNotBack)
        probes = outcome.probes.map { probes in
            Probes(
                count: probes.count, failed: probes.failed, cut: probes.cut, errors: probes.errors,
                answeredBy: probes.aliases, medianMs: probes.median?.inMilliseconds,
                longestMs: probes.longest?.inMilliseconds, longestGapMs: probes.longestGap?.inMilliseconds)
        }
        whyNoProbes = outcome.whyNoProbes
    }
}

extension Duration {
    /// Milliseconds, to a thousandth.
    fileprivate var inMilliseconds: Double { (self / .microseconds(1)).rounded() / 1000 }
}

/// A value that a document always contains, as `null` if there is none. A synthesised `encode` would omit the key.
@propertyWrapper
struct Nullable<Value: Encodable>: Encodable {
    var wrappedValue: Value?

    init(wrappedValue: Value?) { self.wrappedValue = wrappedValue }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if let wrappedValue { try container.encode(wrappedValue) } else { try container.encodeNil() }
    }
}
