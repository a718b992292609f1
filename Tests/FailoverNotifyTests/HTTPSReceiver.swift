import FailoverSystem
import FailoverTesting
import Foundation
import Testing

/// A real HTTPS server that stores the requests that it receives: Python's, with a certificate of its own for
/// `localhost`.
final class HTTPSReceiver: Sendable {
    let port: Int
    let certificate: String
    private let folder: URL

    private static let program = """
        import http.server, os, ssl, sys
        class Receiver(http.server.BaseHTTPRequestHandler):
            count = 0
            def do_POST(self):
                Receiver.count += 1
                body = self.rfile.read(int(self.headers['Content-Length']))
                with open(f'{Receiver.count}.new', 'wb') as file:
                    file.write(f"{self.path} {self.headers['Content-Type']}\\n".encode() + body)
                os.rename(f'{Receiver.count}.new', str(Receiver.count))
                self.send_response(204)
                self.end_headers()
        server = http.server.HTTPServer(('127.0.0.1', 0), Receiver)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain('certificate.pem', 'certificate.key')
        server.socket = context.wrap_socket(server.socket, server_side=True)
        with open('port.new', 'w') as file: file.write(str(server.server_address[1]))
        os.rename('port.new', 'port')
        server.timeout = 0.1
        while not os.path.exists('stop'): server.handle_request()
        """

    init() async throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "receiver-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        certificate = folder.appending(path: "certificate.pem").path
        let folder = folder.path
        try await onThread {
            try CertificateScript.run(
                "alone certificate /CN=localhost -addext subjectAltName=DNS:localhost", in: folder)
        }
        // Ends on request, or at this limit.
        Task {
            try await onThread {
                try ChildProcess.run(Self.command(folder, Self.serverCommand), until: Deadline(.seconds(300)))
            }
        }
        let file = folder + "/port"
        try #require(await eventually { FileManager.default.fileExists(atPath: file) })
        port = try #require(Int(try String(contentsOfFile: file, encoding: .utf8)))
    }

    deinit { _ = FileManager.default.createFile(atPath: folder.appending(path: "stop").path, contents: nil) }

    private static let serverCommand = "exec /usr/bin/python3 -c \"$PROGRAM\""

    private static func command(_ folder: String, _ script: String) -> Command {
        Command(["/bin/sh", "-c", "cd '\(folder)' && \(script)"], environment: ["PROGRAM": program])
    }

    /// The content of a request, with the path and the content type in the first line; `nil` if there were fewer
    /// requests.
    func request(_ number: Int) -> String? {
        try? String(contentsOf: folder.appending(path: "\(number)"), encoding: .utf8)
    }
}
