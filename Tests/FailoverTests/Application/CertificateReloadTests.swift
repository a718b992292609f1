import FailoverAdmin
import FailoverConfiguration
import FailoverCore
import FailoverTLS
import FailoverTesting
import Foundation
import Testing

@testable import Failover

/// Reloads of an application whose certificate has changed.
@Suite("Reloading certificates")
struct CertificateReloadTests {
    private let files: CertificateFiles
    private let log = CapturedLog()

    init() throws { files = try CertificateFiles() }

    /// Runs an application while `body` uses it.
    private func serving(_ body: (FailoverApplication) async throws -> Void) async throws {
        let application = try await FailoverApplication(files.configuration(), log: log.logger)
        let running = Task { try await application.run() }
        try await body(application)
        running.cancel()
        try await running.value
    }

    @Test func theSameConfigurationWithAnotherCertificateIsAChange() async throws {
        try await serving { application in
            #expect(try await application.reload(files.configuration()) == "nothing has changed")
            try files.renew()
            #expect(try await application.reload(files.configuration()) == "slave: certificate changed")
            #expect(try await application.reload(files.configuration()) == "nothing has changed")
        }
    }

    @Test func aCertificateThatCannotBeReadChangesNothing() async throws {
        try await serving { application in
            let end = application.current.value.tls.certificate(ofRoute: "slave")
            #expect(end != nil)
            try files.scratch.write("nothing", to: "server.pem")
            let error = await #expect(throws: OperationError.self) {
                try await application.reload(files.configuration())
            }
            #expect(
                error?.message
                    == "services.slave.client_tls: \(files.certificate): the file has no certificate in PEM format")
            #expect(application.current.value.tls.certificate(ofRoute: "slave") == end)
            #expect(await application.admin.status().routes.map(\.certificateEnds) == [end?.ends.text])
            let metrics = await application.admin.metrics()
            let seconds = end.map { Double($0.ends.sinceEpoch.components.seconds) } ?? 0
            #expect(
                metrics.contains("failover_certificate_end_timestamp_seconds{route=\"slave\"} \(Int(seconds))\n"),
                "\(metrics)")
            #expect(
                metrics.contains("failover_tls_handshakes_total{result=\"failed\",route=\"slave\"} 0\n"), "\(metrics)")
        }
    }

    @Test func anApplicationDoesNotStartWithoutItsCertificate() async throws {
        try files.scratch.remove("server.pem")
        let error = await #expect(throws: OperationError.self) {
            try await FailoverApplication(files.configuration(), log: log.logger)
        }
        #expect(error?.code == .tls)
        #expect(error?.message.contains(files.certificate) == true)
    }
}
