import FailoverCore
import FailoverSystem
import FailoverTesting
import Foundation
import Testing

@testable import FailoverNotify

@Suite("Webhooks", .timeLimit(.minutes(5)))
struct WebhookTests {
    private let threads = BlockingThreads()
    private let pauses = Pauses()

    /// Records how long a notifier would wait, and does not wait.
    private final class Pauses: Sendable {
        let taken = Lock<[Duration]>([])
        func take(_ duration: Duration) { taken.withLock { $0.append(duration) } }
    }

    private func notifier(
        _ url: String, format: WebhookFormat = .json, authorities: String? = nil
    ) -> WebhookNotifier {
        WebhookNotifier(url: Secret(url), format: format, tlsAuthorities: authorities, threads: threads) {
            [pauses] in pauses.take($0)
        }
    }

    private func failure(_ notifier: WebhookNotifier, limit: Duration = .ample) async -> String? {
        do {
            try await notifier.deliver(Events.outage(), limit: limit)
            return nil
        } catch { return "\(error)" }
    }

    /// A server that answers each request with the next of these answers.
    private func server(_ answers: [String]) -> FaultyServer {
        let left = Lock(answers)
        return FaultyServer { connection in
            var request = ""
            while !request.hasSuffix("}") {
                let bytes = connection.receive()
                if bytes.isEmpty { return }
                request += String(decoding: bytes, as: UTF8.self)
            }
            let answer = left.withLock { $0.isEmpty ? "" : $0.removeFirst() }
            connection.send(Array(answer.utf8))
        }
    }

    private func answer(_ status: String) -> String { "HTTP/1.1 \(status)\r\nContent-Length: 0\r\n\r\n" }

    @Test func theEventIsPostedOverHTTPSToWhoeverTheAuthoritiesVouchFor() async throws {
        let receiver = try await HTTPSReceiver()
        let url = "https://localhost:\(receiver.port)/T0?key=1"
        let event = Events.outage()
        try await notifier(url, authorities: receiver.certificate).deliver(event, limit: .ample)
        #expect(receiver.request(1) == "/T0?key=1 application/json\n" + EventJSON(event).text)
        try await notifier(url, format: .slack, authorities: receiver.certificate).deliver(event, limit: .ample)
        #expect(receiver.request(2)?.hasSuffix(WebhookFormat.slack.body(event)) == true)

        let distrusted = await failure(notifier(url))
        #expect(distrusted?.hasPrefix("SSL certificate problem") == true)
        let misnamed = await failure(
            notifier("https://127.0.0.1:\(receiver.port)/T0", authorities: receiver.certificate))
        #expect(misnamed?.contains("127.0.0.1") == true)
        #expect(pauses.taken.withLock { $0 } == [])
        #expect(receiver.request(3) == nil)
    }

    @Test func aServerThatIsAtFaultIsTriedThreeTimesMoreWithGrowingPauses() async {
        let server = server([answer("503 Unavailable"), answer("429 Slow down"), "", answer("200 OK")])
        #expect(await failure(notifier("http://127.0.0.1:\(server.port)/")) == nil)
        #expect(pauses.taken.withLock { $0 } == [.seconds(1), .seconds(2), .seconds(4)])
        #expect(server.connections == 4)
    }

    @Test func thenItIsGivenUp() async {
        let server = server(Array(repeating: answer("500 Broken"), count: 9))
        #expect(
            await self.failure(notifier("http://127.0.0.1:\(server.port)/"))
                == "gave up after 4 attempts: HTTP status 500")
        #expect(server.connections == 4)
    }

    @Test(arguments: ["404 Not Found", "403 Forbidden", "302 Found\r\nLocation: http://127.0.0.1:1/"])
    func whatWillNotPassIsGivenUpAtOnce(status: String) async {
        let server = server([answer(status)])
        #expect(await failure(notifier("http://127.0.0.1:\(server.port)/")) == "HTTP status \(status.prefix(3))")
        #expect(server.connections == 1)
    }

    @Test func aSilentServerOutlivesNoLimit() async {
        let server = FaultyServer { $0.holdOpen() }
        let expected = "gave up after 4 attempts: Operation timed out"
        // A busy machine may not even connect within the first limit.
        let message = await patiently(.milliseconds(100)) {
            $0?.hasPrefix(expected) == true
        } _: { limit in
            await self.failure(notifier("http://127.0.0.1:\(server.port)/"), limit: limit)
        }
        #expect(message?.hasPrefix(expected) == true, "\(message ?? "")")
    }

    @Test func anEndlessAnswerIsNotReadToItsEnd() async {
        let server = FaultyServer { connection in
            connection.receive()
            connection.send(Array("HTTP/1.1 200 OK\r\n\r\n".utf8))
            while connection.send(Array(repeating: 120, count: 65536)) {}
        }
        #expect(await failure(notifier("http://127.0.0.1:\(server.port)/")) == nil)
    }

    @Test func nothingShowsMoreOfTheURLThanItsHost() async {
        let unused = UnusedPort()
        let port = unused.port
        let notifier = notifier("http://user:do-not-show@127.0.0.1:\(port)/do-not-show?do-not-show")
        #expect(notifier.name == "webhook http://127.0.0.1:\(port)")
        let message = await failure(notifier)
        #expect(message?.contains("do-not-show") == false)
        #expect(self.notifier("https://hooks.example?do-not-show").name == "webhook https://hooks.example")
    }

    @Test func slackGetsALineOfTextWithItsThreeCharactersEscaped() {
        let event = Events.event(.outage(PingFailure(.refused, "a <b> & \"c\"")), currentAlias: "default")
        #expect(
            WebhookFormat.slack.body(event)
                == #"{"text":"DOWN: slave on web1 (refused), default serves\na &lt;b&gt; &amp; \"c\""}"#)
    }
}
