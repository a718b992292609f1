import FailoverCore
import FailoverSystem
import FailoverTesting

@testable import Failover
@testable import FailoverProxy

extension FuzzTarget {
    static let ofConfiguration = [configuration, texts, takeover]

    /// The configuration file as a whole.
    static let configuration = FuzzTarget("configuration") { input in
        let text = String(decoding: input.remaining(), as: UTF8.self)
        do throws(ConfigurationError) {
            let configuration = try Configuration.parse(
                text, fileName: "/nonexistent/fuzz.yaml", environment: ["NAME": "value"])
            return configuration.rendered().isEmpty ? "nothing is rendered" : nil
        } catch {
            return error.problems.isEmpty ? "no problem is told" : nil
        }
    }

    /// The texts that stand in it, and those that operators give to commands.
    static let texts = FuzzTarget("texts") { input in
        let kind = input.byte() % 10
        let text = String(decoding: input.remaining(), as: UTF8.self)
        switch kind {
        case 0:
            guard let duration = try? Duration(configurationText: text) else { return nil }
            guard (Duration.zero ... .seconds(365 * 86_400)).contains(duration) else {
                return "a duration of \(duration)"
            }
            return try? Duration(configurationText: duration.configurationText) == duration ? nil : "\(duration)"
        case 1:
            guard let count = try? UInt64(byteText: text) else { return nil }
            return try? UInt64(byteText: count.byteText) == count ? nil : "\(count) bytes"
        case 2: _ = try? Endpoint(listenText: text).reachable
        case 3: _ = try? Endpoint(serverText: text).collides(with: .tcp(host: "::", port: 1))
        case 4: _ = try? SourceNetworks.Network(text: text).description
        case 5: _ = try? RabbitMQServer(url: text, tlsAuthorities: nil)
        case 6: _ = try? RedisServer(url: text, tlsAuthorities: nil)
        case 7:
            try? WebhookURL.check(text)
            _ = Secret(text).description
        case 8: _ = KeySuggestion.nearest(to: text, among: ["monitoring_ping_frequency", "rise", ""])
        default:
            guard let time = WallTime(text: text) else { return nil }
            _ = (time.text, time.before(.zero - .longest).text)
        }
        return nil
    }

    /// What another process hands over.
    static let takeover = FuzzTarget("takeover") { input in
        guard let offer = TakeoverOffer(bytes: input.remaining()) else { return nil }
        let now = WallTime.now
        for outage in offer.outages {
            let lasting = now.sinceEpoch - outage.begin.sinceEpoch
            let start = MonotonicTime.zero.advanced(by: .zero - max(.zero, lasting))
            var machine = ServiceStateMachine(
                settings: MonitorSettings(), downSince: start, because: outage.failure, now: .zero)
            _ = (machine.trigger(.timer, now: .zero), machine.status(now: .zero), machine.nextWake)
            _ = (outage.begin.text, "\(outage.failure)", lasting.inWords)
        }
        for pin in offer.pins { _ = (pin.rest(at: now)?.inWords, pin.isOver(at: now)) }
        return nil
    }
}
