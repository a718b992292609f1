import Failover
import FailoverChecks
import FailoverCore
import Foundation
import Testing

/// What is found at names and in files.
@Suite("Diagnosis of names and files")
struct DiagnosisOfPlacesTests {
    private func name(
        _ lookUps: [Set<String>], _ answers: [Examination.Answer]
    ) throws -> [String] {
        var patient = try Patient()
        patient.facts.examinations["slave"] = Examination(lookUps: lookUps, answers: answers)
        return patient.found
    }

    @Test func addressesOfOneServerAreAHint() throws {
        let replica = try Patient().replica
        let both = ["10.0.0.2", "fd00::2"].map { Examination.Answer(address: $0, facts: .success(replica)) }
        #expect(try name([["10.0.0.2", "fd00::2"]], both) == ["slave: several-addresses"])
    }

    @Test func serversBehindOneNameAreAProblem() throws {
        let replica = try Patient().replica
        var other = replica
        other.identity = "three"
        let both = [("10.0.0.2", replica), ("10.0.0.3", other)].map {
            Examination.Answer(address: $0.0, facts: .success($0.1))
        }
        #expect(try name([["10.0.0.2", "10.0.0.3"]], both) == ["slave: several-servers"])
        #expect(
            try name([["10.0.0.2"], ["10.0.0.3"]], [both[0]]) == ["slave: name-changes"])
    }

    @Test func addressThatDoesNotServeIsAProblem() throws {
        let replica = try Patient().replica
        let both = [
            Examination.Answer(address: "fd00::2", facts: .failure(PingFailure(.refused, "no"))),
            Examination.Answer(address: "10.0.0.2", facts: .success(replica)),
        ]
        #expect(
            try name([["10.0.0.2", "fd00::2"]], both) == ["slave: address-down", "slave: several-addresses"])
    }

    @Test func nameWithoutAddressIsAProblem() throws {
        var patient = try Patient()
        patient.facts.examinations["slave"] = Examination(unresolved: PingFailure(.unresolved, "db2: no"))
        #expect(patient.found == ["slave: name-unresolved"])
        #expect(patient.diagnosis.skipped.count == 2)
    }

    private func candidate(_ host: String, _ answer: Result<ServerFacts?, PingFailure>) -> CheckupFacts.Candidate {
        CheckupFacts.Candidate(
            endpoint: .tcp(host: host, port: 5432),
            examination: Examination(lookUps: [["10.0.0.1"]], answers: [.init(address: "10.0.0.1", facts: answer)]))
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
        promoted.lineage.isReplica = false
        promoted.lineage.isReadOnly = false
        // One of two names is no other server.
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
        #expect(patient.diagnosis.findings[0].reason.contains("ends in 2 days, on 2027-01-17"))
    }

    @Test func otherServicesThatAreDownAreProblems() throws {
        var patient = try Patient()
        let text = "services: {search: {type: tcp, host: db9, port: 1}}"
        patient.facts.configuration = try Configuration.parse(text, fileName: "failover.yaml", environment: [:])
        patient.facts.failures["search"] = PingFailure(.refused, "no")
        #expect(patient.found == ["service search: no-login"])
    }

    @Test func configurationSaysWhereItsSecretsAre() throws {
        let folder = ConfigurationFixture.folder.appending(path: "valid").path
        func places(_ name: String) throws -> [SecretPlace] {
            try Configuration.loadNotingSecrets(
                path: "\(folder)/\(name).yaml", environment: ConfigurationFixture.environment
            ).secrets
        }
        #expect(
            try places("everything") == [
                SecretPlace(keyPath: "databases.slave.password", file: "\(folder)/../files/password"),
                SecretPlace(keyPath: "databases.reports.password", file: nil),
                SecretPlace(keyPath: "databases.my.sql_1.password", file: nil),
            ])
        // The environment keeps the others, and an address is no secret.
        #expect(
            try places("watched").map(\.keyPath) == [
                "notify[1].url", "services.celery.url", "services.sessions-tls.url",
            ])
    }
}
