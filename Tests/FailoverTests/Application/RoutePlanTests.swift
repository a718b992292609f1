import FailoverCore
import Testing

@testable import Failover

@Suite("Positions of routes and aliases from one configuration to the next")
struct RoutePlanTests {
    private func alias(_ name: String, port: UInt16, user: String = "monitor") -> DatabaseAlias {
        DatabaseAlias(
            name: name,
            server: DatabaseServer(engine: .postgres, endpoint: .tcp(host: "127.0.0.1", port: port), user: user))
    }

    private func route(_ name: String, _ aliases: [String]) -> ServiceConfiguration {
        ServiceConfiguration(
            name: name, kind: .database(DatabaseRoute(aliases: aliases, listen: [.tcp(host: "127.0.0.1", port: 6432)])))
    }

    private func configuration(_ databases: [DatabaseAlias], _ services: [ServiceConfiguration]) -> Configuration {
        Configuration(databases: databases, services: services)
    }

    private var first: Configuration {
        configuration([alias("default", port: 1), alias("slave", port: 2)], [route("slave", ["slave", "default"])])
    }

    @Test func whatIsTheSameKeepsItsPositionAndWhatIsNewStandsBehind() {
        let plan = RoutePlan(
            configuration(
                [alias("spare", port: 3), alias("slave", port: 2, user: "other"), alias("default", port: 1)],
                [route("reports", ["spare"]), route("slave", ["slave", "spare", "default"])]), after: RoutePlan(first))
        #expect(plan.aliases.map(\.database.name) == ["default", "slave", "spare"])
        #expect(plan.aliases[1].database.server.user == "other")
        #expect(plan.tableRoutes == [Route(name: "slave", aliases: [1, 2, 0]), Route(name: "reports", aliases: [2])])
        #expect(plan.ownAlias(ofService: "reports") == 2)
    }

    @Test func anAliasAtAnotherServerIsAnotherAndItsFormerOneIsRetired() {
        let moved = configuration(
            [alias("default", port: 1), alias("slave", port: 9)], [route("slave", ["slave", "default"])])
        let plan = RoutePlan(moved, after: RoutePlan(first))
        #expect(plan.aliasStates.map(\.isRetired) == [false, true, false])
        #expect(plan.tableRoutes == [Route(name: "slave", aliases: [2, 0])])
        // And back.
        let back = RoutePlan(first, after: plan)
        #expect(back.aliasStates.map(\.isRetired) == [false, false, true])
        #expect(back.tableRoutes == [Route(name: "slave", aliases: [1, 0])])
    }

    @Test func aRouteThatIsGoneIsRetiredAndComesBackToItsPosition() {
        let gone = configuration([alias("default", port: 1)], [route("other", ["default"])])
        let plan = RoutePlan(gone, after: RoutePlan(first))
        #expect(plan.routes.map(\.name) == ["slave", "other"])
        #expect(plan.routes.map(\.isRetired) == [true, false])
        #expect(plan.ownAlias(ofService: "slave") == nil)
        let back = RoutePlan(first, after: plan)
        #expect(back.routes.map(\.isRetired) == [false, true])
    }
}
