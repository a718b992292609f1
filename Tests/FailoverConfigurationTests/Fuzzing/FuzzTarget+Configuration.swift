import FailoverCore
import FailoverSystem
import FailoverTesting

@testable import FailoverConfiguration

extension FuzzTarget {
    static let ofConfiguration = [configuration, texts]

    /// The configuration file as a whole.
    static let configuration = FuzzTarget("configuration") { input in
        let text = String(decoding: input.remaining(), as: UTF8.self)
        do throws(ConfigurationError) {
            let configuration = try Configuration.parse(
                text, fileName: "/nonexistent/fuzz.yaml", environment: ["NAME": "value"])
            return configuration.rendered().isEmpty ? "nothing is rendered" : nil
        } catch {
            return error.problems.isEmpty ? "no problem is reported" : nil
        }
    }

    /// The texts in the file, and the arguments that operators give to commands.
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
        case 5: _ = try? RabbitMQServer(url: text)
        case 6: _ = try? RedisServer(url: text)
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
}
