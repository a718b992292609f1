import FailoverCore
import FailoverSystem
import FoundationEssentials
import Testing

@testable import Failover

@Suite("What a process hands to the next one")
struct TakeoverOfferTests {
    private let database = AliasState(
        name: "slave", endpoint: .tcp(host: "db.example", port: 5432),
        addresses: [SocketAddress(ip: [192, 0, 2, 1] as [UInt8], port: 5432)].compactMap(\.self))

    private func offer(_ board: RouteBoard) throws -> TakeoverOffer {
        let offer = TakeoverOffer(
            listeners: [], pins: [], drained: [], outages: [], degraded: [],
            aliases: board.table.aliases.map(TakeoverOffer.Alias.init))
        return try #require(TakeoverOffer(bytes: Array(try JSONEncoder().encode(offer))))
    }

    @Test func placesRoleAndStalenessOfAnAliasArriveAsTheyWere() throws {
        let board = RouteBoard(RouteTable(aliases: [database], routes: []))
        board.setMustNotServe(alias: 0, true)
        board.setStaleness(alias: 0, Staleness(behind: .seconds(12), bytesBehind: 7, stopped: "paused"))
        let alias = try #require(try offer(board).aliases?.first)
        #expect(alias.places.map(\.description) == ["192.0.2.1:5432"])
        #expect(alias.mustNotServe)
        #expect(alias.staleness == Staleness(behind: .seconds(12), bytesBehind: 7, stopped: "paused"))
        #expect(alias.isOf(database))
        #expect(!alias.isOf(AliasState(name: "slave", endpoint: .tcp(host: "other.example", port: 5432))))
    }

    /// As 0.1.0 wrote it.
    @Test func anOfferWithoutWhatIsNewIsOne() throws {
        let text = """
            {"listeners":[{"route":"slave","hasChosenPort":false}],"pins":[],"drained":["slave"],"outages":\
            [{"service":"slave","since":1764331200,"failure":{"reason":{"refused":{}},"detail":"no"}}]}
            """
        let offer = try #require(TakeoverOffer(bytes: Array(text.utf8)))
        #expect(offer.aliases == nil)
        #expect(offer.degraded == nil)
        #expect(offer.outages.map(\.failure) == [PingFailure(.refused, "no")])
    }

    @Test func bytesThatAreNoAddressAreNoPlace() throws {
        let text = """
            {"listeners":[],"pins":[],"drained":[],"outages":[],"aliases":[{"name":"slave","servers":["db.example:5432"],\
            "addresses":["","AA==","AgAVOMAAAgE=","AgAVOMAAAgEAAAAAAAAAAA=="],"mustNotServe":false}]}
            """
        let offer = try #require(TakeoverOffer(bytes: Array(text.utf8)))
        #expect(offer.aliases?.first?.places.map(\.description) == ["192.0.2.1:5432"])
    }
}
