import Testing

@testable import FailoverAdmin

@Suite("Server-sent events")
struct ServerSentEventsTests {
    private let text = "event: status\ndata: {\"a\":1}\n\n: keep-alive\n\nid: 7\nevent: event\ndata: über\n\n"

    @Test func theyAreTakenApartHoweverTheyArrive() {
        for size in 1...40 {
            var parser = ServerSentEvents()
            var events: [String] = []
            var rest = Array(text.utf8)[...]
            while !rest.isEmpty {
                events += parser.add(rest.prefix(size)).map { "\($0.name) \($0.data)" }
                rest = rest.dropFirst(size)
            }
            #expect(events == ["status {\"a\":1}", "event über"])
        }
    }

    @Test func anEventWithoutAnEndIsNotKeptForEver() {
        var parser = ServerSentEvents(longest: 1000)
        let piece = [UInt8](repeating: UInt8(ascii: "x"), count: 501)
        #expect(parser.add(piece).isEmpty)
        #expect(parser.add(piece).isEmpty)
        #expect(parser.add("data: next\n\n".utf8).map(\.data) == ["next"])
    }
}
