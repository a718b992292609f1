import FailoverCore
import FailoverProxy
import FailoverSystem
import FailoverTesting
import Foundation
import Testing

@testable import Failover

@Suite("What a process hands to the next one")
struct TakeoverOfferTests {
    private let database = AliasState(
        name: "slave", endpoint: .tcp(host: "db.example", port: 5432),
        addresses: [SocketAddress(ip: [192, 0, 2, 1] as [UInt8], port: 5432)].compactMap(\.self))

    private static let recorded = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/takeover/0.1.0.json")

    private func handedOver(_ board: RouteBoard) throws -> HandoverState {
        let offer = HandoverState(
            listeners: [], pins: [], drained: [], outages: [], degraded: [],
            aliases: board.table.aliases.compactMap(HandoverState.Alias.init))
        return try #require(HandoverState(bytes: try offer.bytes(atMost: 1 << 20)))
    }

    @Test func placesRoleAndStalenessOfAnAliasArriveAsTheyWere() throws {
        let board = RouteBoard(RouteTable(aliases: [database], routes: []))
        board.setMustNotServe(alias: 0, true)
        board.setStaleness(alias: 0, Staleness(behind: .seconds(12), bytesBehind: 7, stopped: "paused"))
        let alias = try #require(try handedOver(board).aliases?.first)
        #expect(alias.places.map(\.description) == ["192.0.2.1:5432"])
        #expect(alias.mustNotServe)
        #expect(alias.lag?.staleness == Staleness(behind: .seconds(12), bytesBehind: 7, stopped: "paused"))
        #expect(alias.isOf(database))
        #expect(!alias.isOf(AliasState(name: "slave", endpoint: .tcp(host: "other.example", port: 5432))))
    }

    @Test func whatTheConfigurationTellsIsNotHandedOver() {
        func state(_ host: String, _ addresses: [SocketAddress?]) -> AliasState {
            AliasState(
                name: "slave", endpoint: .tcp(host: host, port: 5432), addresses: addresses.compactMap(\.self))
        }
        let place = SocketAddress(ip: [192, 0, 2, 1] as [UInt8], port: 5432)
        #expect(HandoverState.Alias(state("192.0.2.1", [place])) == nil)
        #expect(HandoverState.Alias(state("db.example", [])) == nil)
        #expect(HandoverState.Alias(state("db.example", [place])) != nil)
    }

    @Test func whatAMessageHasNoRoomForIsLeftOut() throws {
        let aliases = (0..<2000).compactMap { number in
            HandoverState.Alias(
                AliasState(
                    name: "alias-\(number)", endpoint: .tcp(host: "db-\(number).example", port: 5432),
                    addresses: database.addresses))
        }
        #expect(aliases.count == 2000)
        let offer = HandoverState(
            listeners: [], pins: [], drained: ["slave"], outages: [], degraded: [], aliases: aliases)
        let bytes = try offer.bytes(atMost: DescriptorChannel.mostBytes)
        #expect(bytes.count <= DescriptorChannel.mostBytes)
        let read = try #require(HandoverState(bytes: bytes))
        #expect(read.drained == ["slave"])
        #expect(read.aliases == nil)
    }

    /// Recorded from 0.1.0: the message of a process of commit c4050e1 with the routes, pins, drains and outages of
    /// this test.
    @Test func whatAProcessOf010HandsOverIsRead() throws {
        let state = try #require(HandoverState(bytes: Array(try Data(contentsOf: Self.recorded))))
        #expect(state.version == nil)
        #expect(state.listeners.map(\.route) == ["slave", "pinned", "silent"])
        #expect(state.listeners.allSatisfy { $0.hasChosenPort })
        #expect(state.pins.map(\.route) == ["pinned"])
        #expect(state.pins.map(\.alias) == ["default"])
        #expect(state.pins.allSatisfy { $0.until != nil })
        #expect(state.drained == ["default"])
        let reasons = Dictionary(uniqueKeysWithValues: state.outages.map { ($0.service, $0.failure.failure.reason) })
        #expect(
            reasons == [
                "slave": .refused, "silent": .timeout(.login), "spare": .timeout(.login), "program": .command,
                "pool": .serversDown(["127.0.0.1:1", "127.0.0.1:2"]),
            ])
        #expect(state.aliases == nil)
        #expect(state.degraded == nil)
    }

    /// What 0.1.0 reads of an outage: these names, and only reasons that it knows.
    @Test(arguments: everyReason) func whatIsHandedOverIsReadBy010(_ reason: PingFailure.Reason) throws {
        let state = HandoverState(
            listeners: [.init(route: "slave", hasChosenPort: true)],
            pins: [.init(route: "slave", alias: "default", until: 1_764_331_200)], drained: ["slave"],
            outages: [
                .init(service: "slave", since: WallTime(sinceEpoch: .seconds(1)), failure: PingFailure(reason, "no"))
            ],
            degraded: [], aliases: [])
        let read = try JSONDecoder().decode(StateOf010.self, from: Data(try state.bytes(atMost: 1 << 20)))
        #expect(read.outages.map(\.since) == [1])
        #expect(read.outages.map(\.failure.detail) == ["no"])
        #expect(read.pins.map(\.until) == [1_764_331_200])
        let again = try #require(HandoverState(bytes: try state.bytes(atMost: 1 << 20)))
        #expect(again.outages.map(\.failure.failure) == [PingFailure(reason, "no")])
    }

    /// What a later version may add, with a reason that only that version knows.
    @Test func whatALaterVersionAddsIsSkipped() throws {
        let text = """
            {"version":9,"listeners":[{"route":"slave","hasChosenPort":false,"mark":1}],"pins":[],"drained":[],"outages":\
            [{"service":"slave","since":1,"failure":{"code":"melted","reason":{"query":{}},"detail":"no","heat":9}},\
            {"service":"b","since":1,"failure":{"code":"melted","reason":{"molten":{"_0":7}},"detail":"no"}}],"news":[]}
            """
        let state = try #require(HandoverState(bytes: Array(text.utf8)))
        #expect(state.outages.map(\.failure.failure) == [PingFailure(.query, "no"), PingFailure(.other, "no")])
    }

    @Test func bytesThatAreNoAddressAreNoPlace() throws {
        let text = """
            {"listeners":[],"pins":[],"drained":[],"outages":[],"aliases":[{"name":"slave","servers":["db.example:5432"],\
            "addresses":["","AA==","AgAVOMAAAgE=","AgAVOMAAAgEAAAAAAAAAAA=="],"mustNotServe":false}]}
            """
        let offer = try #require(HandoverState(bytes: Array(text.utf8)))
        #expect(offer.aliases?.first?.places.map(\.description) == ["192.0.2.1:5432"])
    }
}

/// Each reason, and each stage that may time out.
private let everyReason: [PingFailure.Reason] =
    [
        .refused, .unresolved, .unreachable, .disconnected, .authentication, .startingUp, .shuttingDown,
        .tooManyConnections, .userLimit, .hostBlocked, .tls, .query, .unanswered, .heartbeat, .wrongRole,
        .replicationStopped, .missingPrivilege, .protocolViolation, .cutOff, .serversDown(["a", "b"]), .command, .local,
        .drill, .other,
    ] + PingFailure.Stage.allCases.map { .timeout($0) }
