import FailoverChecks
import FailoverConfiguration
import FailoverCore
import FailoverTLS
import Foundation
import Testing

@testable import FailoverDoctor

/// The findings about names and files.
@Suite("Diagnosis of names and files")
struct DiagnosisOfPlacesTests {
    private func name(
        _ lookUps: [Set<String>], _ answers: [ServerProbe.Answer]
    ) throws -> [String] {
        var patient = try Patient()
        patient.facts.probes["slave"] = ServerProbe(lookUps: lookUps, answers: answers)
        return patient.found
    }

    @Test func addressesOfOneServerAreAHint() throws {
        let replica = try Patient().replica
        let both = ["10.0.0.2", "fd00::2"].map { ServerProbe.Answer(address: $0, facts: .success(replica)) }
        #expect(try name([["10.0.0.2", "fd00::2"]], both) == ["slave: several-addresses"])
    }

    @Test func serversBehindOneNameAreAProblem() throws {
        let replica = try Patient().replica
        var other = replica
        other.identity = "three"
        let both = [("10.0.0.2", replica), ("10.0.0.3", other)].map {
            ServerProbe.Answer(address: $0.0, facts: .success($0.1))
        }
        #expect(try name([["10.0.0.2", "10.0.0.3"]], both) == ["slave: several-servers"])
        #expect(
            try name([["10.0.0.2"], ["10.0.0.3"]], [both[0]]) == ["slave: name-changes"])
    }

    @Test func addressThatDoesNotServeIsAProblem() throws {
        let replica = try Patient().replica
        let both = [
            ServerProbe.Answer(address: "fd00::2", facts: .failure(PingFailure(.refused, "no"))),
            ServerProbe.Answer(address: "10.0.0.2", facts: .success(replica)),
        ]
        #expect(
            try name([["10.0.0.2", "fd00::2"]], both) == ["slave: address-down", "slave: several-addresses"])
    }

    @Test func nameWithoutAddressIsAProblem() throws {
        var patient = try Patient()
        patient.facts.probes["slave"] = ServerProbe(unresolved: PingFailure(.unresolved, "db2: no"))
        #expect(patient.found == ["slave: name-unresolved"])
        #expect(patient.diagnosis.skipped.count == 2)
    }

    private func candidate(_ host: String, _ answer: Result<ServerFacts?, PingFailure>) -> DoctorFacts.Candidate {
        DoctorFacts.Candidate(
            endpoint: .tcp(host: host, port: 5432),
            probe: ServerProbe(lookUps: [["10.0.0.1"]], answers: [.init(address: "10.0.0.1", facts: answer)]))
    }

    @Test func serversThatAnAliasMayBecomeMustAnswer() throws {
        var patient = try Patient()
        let (primary, replica) = (patient.primary, patient.replica)
        patient.facts.candidates["default"] = [
            candidate("db1", .success(primary)), candidate("db2", .success(replica)),
        ]
        #expect(patient.found == [])
        patient.facts.candidates["default"]?.append(candidate("db3", .failure(PingFailure(.authentication, "db3: no"))))
        #expect(patient.found == ["default: candidate-down"])
    }

    @Test func twoPrimariesAreAProblem() throws {
        var patient = try Patient()
        let primary = patient.primary
        var promoted = patient.replica
        promoted.topology.isReplica = false
        promoted.topology.isReadOnly = false
        // Two names of the same server are not two servers.
        patient.facts.candidates["default"] = [
            candidate("db1", .success(primary)), candidate("db9", .success(primary)),
        ]
        #expect(patient.found == [])
        patient.facts.candidates["default"]?.append(candidate("db2", .success(promoted)))
        #expect(patient.found == ["default: several-primaries"])
    }

    @Test func filesThatEverybodyMayReadAreProblems() throws {
        var patient = try Patient()
        patient.facts.files = [
            SecretFile(path: "/etc/failover.yaml", keyPaths: ["a", "b"], isConfiguration: true, isReadableByAll: true),
            SecretFile(path: "/run/the secret", keyPaths: ["c"], isConfiguration: false, isReadableByAll: true),
            SecretFile(path: "/run/other", keyPaths: ["d"], isConfiguration: false, isReadableByAll: false),
        ]
        #expect(patient.found == ["/etc/failover.yaml: configuration-readable", "/run/the secret: secret-readable"])
        #expect(patient.diagnosis.findings[1].remedy == "chmod 640 '/run/the secret'")
    }

    @Test func authoritiesAreToldWhenNoneOfAFileLasts() throws {
        var patient = try Patient()
        func certificate(_ days: Int64) -> CertificateFacts {
            CertificateFacts(
                subject: "/CN=CA", ends: WallTime(sinceEpoch: Patient.now.sinceEpoch + .seconds(days * 86400)))
        }
        patient.facts.authorities = [
            "/renewed": [certificate(-5), certificate(400)], "/old": [certificate(-5), certificate(2)], "/none": [],
        ]
        #expect(patient.found == ["/old: authority-ends"])
        #expect(patient.diagnosis.findings[0].reason.contains("expires in 2 days, on 2027-01-17"))
    }

    @Test func otherServicesThatAreDownAreProblems() throws {
        var patient = try Patient()
        let text = "services: {search: {type: tcp, host: db9, port: 1}}"
        patient.facts.configuration = try Configuration.parse(text, fileName: "failover.yaml", environment: [:])
        patient.facts.failures["search"] = PingFailure(.refused, "no")
        #expect(patient.found == ["service search: no-login"])
    }
}
