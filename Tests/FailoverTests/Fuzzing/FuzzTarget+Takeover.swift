import FailoverCore
import FailoverSystem
import FailoverTesting

@testable import Failover

extension FuzzTarget {
    static let ofTakeover = [takeover]

    /// The state that another process hands over.
    static let takeover = FuzzTarget("takeover") { input in
        guard let offer = HandoverState(bytes: input.remaining()) else { return nil }
        let now = WallTime.now
        for outage in offer.outages {
            let lasting = now.sinceEpoch - outage.begin.sinceEpoch
            let start = MonotonicTime.zero.advanced(by: .zero - max(.zero, lasting))
            var machine = ServiceStateMachine(settings: MonitorSettings())
            machine.resumeOutage(outage.failure.failure, since: start, now: .zero)
            _ = (machine.trigger(.timer, now: .zero), machine.status(now: .zero), machine.nextWake)
            _ = (outage.begin.text, "\(outage.failure.failure)", lasting.inWords)
        }
        for pin in offer.pins { _ = (pin.rest(at: now)?.inWords, pin.isOver(at: now)) }
        return nil
    }
}
