import FailoverCore
import FailoverNotify
import FailoverProxy
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
        #expect(plan.ownAliases(ofService: "reports") == [2])
    }

    @Test func aReplicaComparesWithThoseThatItsRoutesFailOverTo() {
        var held = alias("slave", port: 2)
        held.server.replication = ReplicationPolicy(maxLag: nil, maxLagBytes: 1 << 20)
        let aliases = [alias("default", port: 1), held, alias("spare", port: 3)]
        let plan = RoutePlan(
            configuration(
                aliases,
                [
                    route("slave", ["slave", "default"]), route("reports", ["slave", "spare"]),
                    route("spare", ["spare", "slave"]),
                ]))
        #expect(plan.primaries == [1: [0, 2]])
        #expect(RoutePlan(first).primaries == [:])
    }

    @Test func anAliasAtAnotherServerIsAnotherAndItsFormerOneIsRetired() {
        let moved = configuration(
            [alias("default", port: 1), alias("slave", port: 9)], [route("slave", ["slave", "default"])])
        let plan = RoutePlan(moved, after: RoutePlan(first))
        #expect(plan.aliasStates.map(\.isRetired) == [false, true, false])
        #expect(plan.tableRoutes == [Route(name: "slave", aliases: [2, 0])])
        // And back again.
        let back = RoutePlan(first, after: plan)
        #expect(back.aliasStates.map(\.isRetired) == [false, false, true])
        #expect(back.tableRoutes == [Route(name: "slave", aliases: [1, 0])])
    }

    @Test func aRouteThatIsGoneIsRetiredAndComesBackToItsPosition() {
        let gone = configuration([alias("default", port: 1)], [route("other", ["default"])])
        let plan = RoutePlan(gone, after: RoutePlan(first))
        #expect(plan.routes.map(\.name) == ["slave", "other"])
        #expect(plan.routes.map(\.isRetired) == [true, false])
        #expect(plan.ownAliases(ofService: "slave").isEmpty)
        let back = RoutePlan(first, after: plan)
        #expect(back.routes.map(\.isRetired) == [false, true])
    }

    /// A year of reloads must not grow the process.
    @Test func positionsOfRetiredOnesThatNoSessionUsesAreTakenByNewOnes() {
        var plan = RoutePlan(first)
        for day in 0..<100 {
            let next = configuration(
                [alias("default", port: 1), alias("slave\(day)", port: 2)],
                [route("slave\(day)", ["slave\(day)", "default"])])
            let former = plan
            plan = RoutePlan(next, after: former, used: RouteTable.Positions())
            #expect(plan.routes.count <= 3)
            #expect(plan.aliases.count <= 3)
            let added = plan.newPositions(after: former)
            #expect(added.routes.map { plan.routes[$0].name } == ["slave\(day)"])
            #expect(added.aliases.map { plan.aliases[$0].database.name } == ["slave\(day)"])
            #expect(plan.ownAliases(ofService: "slave\(day)") == Array(added.aliases))
        }
    }

    @Test func positionsThatASessionMayUseAreNotTaken() {
        let gone = configuration([alias("default", port: 1)], [route("other", ["default"])])
        let third = configuration(
            [alias("default", port: 1), alias("new", port: 3)], [route("new", ["new", "default"])])
        let plan = RoutePlan(gone, after: RoutePlan(first))
        let names = ["default", "slave", "new"]
        #expect(RoutePlan(third, after: plan).aliases.map(\.database.name) == names, "it is unknown which are used")
        let used = RouteTable.Positions(routes: [0], aliases: [1])
        let next = RoutePlan(third, after: plan, used: used)
        #expect(next.aliases.map(\.database.name) == names)
        #expect(next.routes.map(\.name) == ["slave", "other", "new"])
        // The first reload that an entry misses retires it. Sessions may still choose it.
        #expect(RoutePlan(third, after: RoutePlan(first), used: .init()).aliases.map(\.database.name) == names)
    }

    private func shared(_ aliases: [String], own: Int, least: Int = 1) -> ServiceConfiguration {
        ServiceConfiguration(
            name: "slave",
            kind: .database(
                DatabaseRoute(
                    aliases: aliases, preferredCount: own, minReplicas: least,
                    listen: [.tcp(host: "127.0.0.1", port: 6432)])),
            failoverSettings: ["SLOW": "1"])
    }

    @Test func severalOwnAliasesAreMonitoredUnderTheirNames() {
        let plan = RoutePlan(
            configuration(
                [alias("default", port: 1), alias("slave", port: 2), alias("slave2", port: 3)],
                [shared(["slave", "slave2", "default"], own: 2, least: 2)]), after: RoutePlan(first))
        #expect(plan.tableRoutes == [Route(name: "slave", aliases: [1, 2, 0], preferredCount: 2, minReplicas: 2)])
        #expect(plan.ownAliases(ofService: "slave") == [1, 2])
        #expect(plan.aliases.map(\.serviceName) == ["default", "slave", "slave2"])
        let notifier = NotifierConfiguration(kind: .command(["page"]), services: ["slave"])
        #expect(notifier.knowing(plan).services == ["slave", "slave2"])
    }

    @Test func aRetiredRouteKnowsWhichOfItsAliasesAreItsOwn() {
        let both = configuration(
            [alias("slave", port: 2), alias("slave2", port: 3), alias("default", port: 1)],
            [shared(["slave", "slave2", "default"], own: 2)])
        let gone = configuration(
            [alias("slave2", port: 3), alias("default", port: 1)], [route("other", ["slave2", "default"])])
        let plan = RoutePlan(gone, after: RoutePlan(both))
        #expect(plan.tableRoutes[0] == Route(name: "slave", aliases: [1, 2], preferredCount: 1, isRetired: true))
    }

    @Test("Effects of outages wait until too few aliases are left", arguments: [(1, 2), (2, 1)])
    func effects(least: Int, fallen: Int) {
        let configuration = configuration(
            [alias("slave", port: 2), alias("slave2", port: 3), alias("default", port: 1)],
            [shared(["slave", "slave2", "default"], own: 2, least: least)])
        var effects = OutageEffects(configuration.services)
        let members = ["slave", "slave2"].prefix(fallen)
        for (index, member) in members.enumerated() {
            #expect(effects.settings.merged.isEmpty)
            let isLast = index + 1 == fallen
            #expect(effects.begin("slave", member: member) == (isLast ? .settings : []))
            #expect(effects.begin("slave", member: member) == [])
            #expect(effects.settings.merged.isEmpty == !isLast)
        }
        effects.change(to: configuration.services, down: members.map { ("slave", $0) })
        #expect(effects.settings.merged == ["SLOW": "1"])
        #expect(effects.end("slave", member: "slave") == .settings)
        #expect(effects.settings.merged.isEmpty)
    }
}
