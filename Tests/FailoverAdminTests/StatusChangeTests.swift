import FailoverCore
import Testing

@testable import FailoverAdmin

@Suite("Changes of the status")
struct StatusChangeTests {
    private func status() async -> StatusDocument { await FakeBackend().status() }

    @Test func itHoldsWhatIsDifferentAndNothingElse() async throws {
        let former = await status()
        var status = former
        status.time = "1970-01-01T00:00:04.000Z"
        #expect(
            JSONWriter.text(try #require(StatusChange(from: former, to: status)))
                == "{\"time\":\"1970-01-01T00:00:04.000Z\"}")
        status.routes[0].sessions.open = 7
        status.errors = [:]
        let change = try #require(StatusChange(from: former, to: status))
        #expect(change.routes == status.routes)
        #expect(change.services == nil)
        #expect(change.settings == nil)
        #expect(change.errors == [:])
    }

    @Test func theFormerStatusWithItIsTheNext() async throws {
        let former = await status()
        var status = former
        status.routes.append(status.routes[0])
        status.routes[1].name = "other"
        #expect(StatusChange(from: former, to: status) == nil, "a reload has added a route")
        var next = status
        next.routes[1].currentAlias = nil
        (next.ready, next.stopping, next.settings, next.time) = (false, true, [:], "later")
        let change = try #require(StatusChange(from: status, to: next))
        #expect(change.routes?.map(\.name) == ["other"])
        #expect(status.with(change) == next)
    }

    @Test func whoReadsTheStreamHasTheWholeStatusEachTime() async throws {
        let former = await status()
        var (status, reader) = (former, NewsReader())
        status.routes[0].sessions.open = 7
        let change = try #require(StatusChange(from: former, to: status))
        #expect(reader.news(name: "change", data: JSONWriter.text(change)) == nil, "a change without a status")
        guard case .status(former) = reader.news(name: "status", data: JSONWriter.text(former)),
            case .status(status) = reader.news(name: "change", data: JSONWriter.text(change))
        else { return #expect(Bool(false)) }
        let event = AdminEvent(.drain, "slave", "slave is drained", at: WallTime(sinceEpoch: .zero))
        guard case .event(let told) = reader.news(name: "event", data: JSONWriter.text(event)) else {
            return #expect(Bool(false))
        }
        #expect(told.message == "slave is drained")
        #expect(reader.news(name: "other", data: "{}") == nil)
        #expect(reader.news(name: "status", data: "[]") == nil)
    }
}
