import COpenSSL
import FailoverCore
import FailoverSystem
import FailoverTLS
import Foundation
import Testing

@Suite struct CertificateTests {
    @Test(arguments: [
        (
            "other", TLSClientSettings.Verification.authority,
            "certificate not accepted: unable to get local issuer certificate"
        ),
        ("ca", .name("db.example"), "certificate not accepted: hostname mismatch"),
        ("ca", .name("127.0.0.2"), "certificate not accepted: IP address mismatch"),
    ])
    func aCertificateThatDoesNotVerifyIsToldByBoth(
        authority: String, verification: TLSClientSettings.Verification, message: String
    ) throws {
        let pair = try Pair(server: .server(), client: .client(verification, authorities: authority))
        #expect(try pair.client.handshake() == .readable)
        #expect(try pair.server.handshake() == .readable)
        let failure = #expect(throws: TLSFailure.self) { try pair.client.handshake() }
        #expect(failure == TLSFailure(.certificate, message))
        let told = #expect(throws: TLSFailure.self) { try pair.server.handshake() }
        #expect(told?.cause == .peer)
        #expect(told?.message.contains("alert") == true)
    }

    @Test(arguments: [
        ("expired", "certificate not accepted: certificate has expired"),
        ("own", "certificate not accepted: self-signed certificate"),
    ])
    func expiredAndSelfSignedCertificatesAreNotAccepted(name: String, message: String) throws {
        let pair = try Pair(server: .server(name), client: .client())
        #expect(try pair.client.handshake() == .readable)
        #expect(try pair.server.handshake() == .readable)
        let failure = #expect(throws: TLSFailure.self) { try pair.client.handshake() }
        #expect(failure == TLSFailure(.certificate, message))
    }

    @Test(arguments: [
        TLSClientSettings.Verification.none, .authority, .name("localhost"), .name("127.0.0.1"),
    ])
    func aValidCertificateIsAccepted(verification: TLSClientSettings.Verification) throws {
        let pair = try Pair.ready(server: .server("chain-of-server"), client: .client(verification))
        #expect(pair.client.peerCertificate?.subject == "/CN=localhost")
    }

    @Test func withoutVerificationAnyCertificateIsAccepted() throws {
        for name in ["own", "expired", "rsa"] {
            _ = try Pair.ready(server: .server(name), client: .client(.none, authorities: "other"))
        }
    }

    @Test func clientsMustShowACertificateIfAuthoritiesAreSet() throws {
        let server = try TLSContext.server(clientAuthorities: "ca.pem")
        let accepted = try Pair.ready(server: server, client: .client(identity: "client"))
        #expect(accepted.server.peerCertificate?.subject == "/CN=app/O=tests")
        for (identity, message) in [
            (nil, "peer did not return a certificate"),
            ("stranger", "certificate not accepted: unable to get local issuer certificate"),
        ] {
            let pair = try Pair(server: server, client: .client(identity: identity))
            #expect(try pair.client.handshake() == .readable)
            #expect(try pair.server.handshake() == .readable)
            #expect(try pair.client.handshake() == nil)
            let failure = #expect(throws: TLSFailure.self) { try pair.server.handshake() }
            #expect(failure?.message == message)
            // The client learns it from an alert, with its first read.
            #expect(pair.client.heard().last == .failed(EPROTO))
            #expect(pair.client.failure?.message.contains("alert") == true)
        }
    }

    @Test(arguments: [
        ("missing", "server", "missing.pem: No such file or directory"),
        ("empty", "server", "empty.pem: the file has no certificate in PEM format"),
        ("broken", "server", "broken.pem: certificate 2: "),
        ("server", "client", "client.key: the key does not belong to the certificate in "),
        ("server", "rsa", "rsa.key: the key does not belong to the certificate in "),
        ("server", "locked", "locked.key: the key is protected by a password"),
        ("server", "missing", "missing.key: No such file or directory"),
    ])
    func filesThatDoNotFitAreNamed(certificate: String, key: String, message: String) {
        let identity = TLSIdentity(
            certificate: Certificates.path("\(certificate).pem"), key: Certificates.path("\(key).key"))
        let failure = #expect(throws: TLSFailure.self) {
            try TLSContext.server(TLSServerSettings(identity: identity))
        }
        #expect(failure?.cause == .local)
        #expect(failure?.message.hasPrefix(Certificates.path(message)) == true, "\(failure?.message ?? "")")
        #expect(failure?.message.contains("\n") == false)
    }

    @Test func aFileOfAuthoritiesWithoutOneIsAnError() {
        let path = Certificates.path("empty.pem")
        let expected = TLSFailure(.local, "\(path): the file has no certificate in PEM format")
        #expect(throws: expected) { try TLSContext.server(clientAuthorities: "empty.pem") }
        #expect(throws: expected) { try TLSContext.client(authorities: "empty") }
    }

    @Test func anExpiredCertificateIsUsedAndTold() throws {
        let context = try TLSContext.server("expired")
        let facts = try #require(context.certificate)
        let problem = try #require(facts.problem(at: .now))
        #expect(problem.hasPrefix("the certificate /CN=localhost expired on 20"))
        #expect(try TLSContext.server().certificate?.problem(at: .now) == nil)
        #expect(facts.problem(at: WallTime(sinceEpoch: .zero))?.contains("is not valid before") == true)
    }

    @Test func theHashForChannelBindingIsThatOfTheSignature() throws {
        for (name, digest) in [("server", "-sha256"), ("rsa", "-sha256")] {
            let hex = try command("openssl x509 -in \(name).pem -outform DER | openssl dgst \(digest) -r | cut -c1-64")
            let hash = try #require(TLSContext.server(name).certificate?.endPoint)
            #expect(hash.map { String(format: "%02x", $0) }.joined() == hex)
        }
        #expect(try TLSContext.server("ed").certificate?.endPoint == nil)
        #expect(try TLSContext.server("renewed").certificate?.endPoint != TLSContext.server().certificate?.endPoint)
    }

    @Test func factsOfAllCertificatesOfAFile() throws {
        let text = try String(contentsOfFile: Certificates.path("chain-of-server.pem"), encoding: .utf8)
        #expect(CertificateFacts.all(inPEM: text).map(\.subject) == ["/CN=localhost", "/CN=ca"])
        #expect(CertificateFacts.all(inPEM: "nothing").isEmpty)
    }
}

/// Runs a command in the folder of the certificates, and returns its output.
func command(_ text: String) throws -> String { try Running(text).output() }

/// A command of the shell that runs in the folder of the certificates.
struct Running {
    private let process = Process()
    private let result = Pipe()

    init(_ text: String) throws {
        process.executableURL = URL(filePath: "/bin/bash")
        process.arguments = ["-c", text]
        process.currentDirectoryURL = URL(filePath: Certificates.path("."))
        process.standardOutput = result
        process.standardError = result
        process.standardInput = FileHandle.nullDevice
        try process.run()
    }

    /// Waits for its end. Returns what it has printed.
    func output() -> String {
        let bytes = result.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
