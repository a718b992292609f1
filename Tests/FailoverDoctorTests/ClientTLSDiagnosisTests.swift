import FailoverConfiguration
import FailoverCore
import FailoverTLS
import Testing

@testable import FailoverDoctor

/// The findings about routes where TLS with clients ends at the proxy.
@Suite("Diagnosis of TLS with clients")
struct ClientTLSDiagnosisTests {
    private func certificate(_ name: String, days: Int64 = 31, endPoint: [UInt8]?) -> CertificateFacts {
        CertificateFacts(
            subject: "/CN=\(name)", ends: WallTime(sinceEpoch: Patient.now.sinceEpoch + .seconds(days * 86400)),
            endPoint: endPoint)
    }

    /// A patient whose route has the certificate, while its servers have one with the end point `[1]`.
    private func patient(
        _ own: CertificateFacts?, engine: DatabaseServer.Engine = .postgres, primary: String = ""
    ) throws -> Patient {
        var patient = try Patient(engine, primary: primary)
        guard case .database(var route) = patient.facts.configuration.services[0].kind else { return patient }
        route.clientTLS = ClientTLSSettings(certificate: "/proxy.crt", key: "/proxy.key")
        patient.facts.configuration.services[0].kind = .database(route)
        patient.facts.certificates["slave"] = own
        patient.primary.certificate?.endPoint = [1]
        patient.replica.certificate?.endPoint = [1]
        return patient
    }

    @Test func theServersOwnCertificateIsNoFinding() throws {
        #expect(try patient(certificate("db", endPoint: [1])).found == [])
    }

    @Test(arguments: [[2], nil] as [[UInt8]?])
    func serversWithAnotherCertificateAreAProblem(_ endPoint: [UInt8]?) throws {
        let patient = try patient(certificate("proxy", endPoint: endPoint))
        #expect(patient.found == ["slave: channel-binding", "default: channel-binding"])
        let finding = try #require(patient.diagnosis.findings.last)
        #expect(finding.level == .problem)
        #expect(finding.reason.contains("/CN=proxy of route slave") && finding.reason.contains("another one, /CN=one"))
        #expect(finding.remedy.contains("databases.default.tls: disable"))
    }

    @Test func serversInClearAndServersWithoutChannelBindingAreNone() throws {
        var patient = try patient(certificate("proxy", endPoint: [2]))
        patient.primary.certificate = nil
        patient.replica.certificate?.endPoint = nil
        #expect(patient.found == [])
    }

    @Test func mysqlHasNoChannelBinding() throws {
        #expect(try patient(certificate("proxy", endPoint: [2]), engine: .mysql).found == [])
    }

    @Test(
        arguments: [
            (29, ["route slave: certificate-ends"]), (-1, ["route slave: certificate-ends"]), (30, []),
        ] as [(Int64, [String])])
    func aProxysCertificateThatEndsIsAProblem(_ days: Int64, _ found: [String]) throws {
        let patient = try patient(certificate("proxy", days: days, endPoint: [1]))
        #expect(patient.found == found)
        #expect(patient.diagnosis.findings.allSatisfy { $0.remedy.contains("/proxy.crt") })
    }

    @Test func validateSaysWhatItCannotKnow() throws {
        func notes(_ patient: Patient) -> [String] {
            ConfigurationDiagnosis(patient.facts.configuration).notes.map { "\($0.subject): \($0.text)" }
        }
        let encrypted = try notes(patient(nil))
        #expect(encrypted.count == 1)
        #expect(encrypted.first?.hasPrefix("route slave: clients of libpq bind SCRAM logins") == true)
        #expect(encrypted.first?.contains("With TLS to slave, default they") == true)
        var clear = try patient(nil, primary: ", tls: disable")
        #expect(notes(clear).first?.contains("With TLS to slave they") == true)
        for index in clear.facts.configuration.databases.indices {
            clear.facts.configuration.databases[index].server.tls = .disable
        }
        #expect(
            notes(clear) == [
                "route slave: SCRAM logins work without channel binding, because the servers are reached in clear text"
            ])
        #expect(try notes(patient(nil, engine: .mysql)) == [])
        #expect(try notes(Patient()) == [])
    }

    @Test func validateSaysThatClientsInClearTextNeedNoCertificate() throws {
        func notes(_ change: (inout ClientTLSSettings) -> Void) throws -> [String] {
            var patient = try patient(nil, engine: .mysql)
            guard case .database(var route) = patient.facts.configuration.services[0].kind,
                var settings = route.clientTLS
            else { return ["no such route"] }
            change(&settings)
            route.clientTLS = settings
            patient.facts.configuration.services[0].kind = .database(route)
            return ConfigurationDiagnosis(patient.facts.configuration).notes.map { "\($0.subject): \($0.text)" }
        }
        let note =
            "route slave: clients in clear text need no certificate; require: true in client_tls refuses them"
        #expect(try notes { $0.clientAuthorities = "/ca.crt" } == [note])
        #expect(try notes { ($0.clientAuthorities, $0.isRequired) = ("/ca.crt", true) } == [])
        #expect(try notes { $0.isRequired = false } == [])
    }
}
