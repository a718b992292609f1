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
            aliases: board.table.aliases.compactMap(TakeoverOffer.Alias.init))
        return try #require(TakeoverOffer(bytes: try offer.bytes(atMost: 1 << 20)))
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

    @Test func whatTheConfigurationTellsIsNotHandedOver() {
        func state(_ host: String, _ addresses: [SocketAddress?]) -> AliasState {
            AliasState(
                name: "slave", endpoint: .tcp(host: host, port: 5432), addresses: addresses.compactMap(\.self))
        }
        let place = SocketAddress(ip: [192, 0, 2, 1] as [UInt8], port: 5432)
        #expect(TakeoverOffer.Alias(state("192.0.2.1", [place])) == nil)
        #expect(TakeoverOffer.Alias(state("db.example", [])) == nil)
        #expect(TakeoverOffer.Alias(state("db.example", [place])) != nil)
    }

    @Test func whatAMessageHasNoRoomForIsLeftOut() throws {
        let aliases = (0..<2000).compactMap { number in
            TakeoverOffer.Alias(
                AliasState(
                    name: "alias-\(number)", endpoint: .tcp(host: "db-\(number).example", port: 5432),
                    addresses: database.addresses))
        }
        #expect(aliases.count == 2000)
        let offer = TakeoverOffer(
            listeners: [], pins: [], drained: ["slave"], outages: [], degraded: [], aliases: aliases)
        let bytes = try offer.bytes(atMost: DescriptorChannel.mostBytes)
        #expect(bytes.count <= DescriptorChannel.mostBytes)
        let read = try #require(TakeoverOffer(bytes: bytes))
        #expect(read.drained == ["slave"])
        #expect(read.aliases == nil)
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
