import FailoverCore
import FailoverSystem
import FailoverTesting

@testable import FailoverProxy

extension FuzzTarget {
    /// Reading and writing PROXY headers, and the networks that clients may connect from.
    static let proxyHeader = FuzzTarget("proxy-header") { input in
        input.flag() ? writtenHeader(&input) : firstChange(in: input.remaining(), .incomplete, read: ProxyHeader.read)
    }

    private static func writtenHeader(_ input: inout FuzzInput) -> String? {
        let network = SourceNetworks.Network(address: input.bytes(), prefixLength: input.number())
        _ = network.description
        let (source, destination) = (address(&input), address(&input))
        if let source { _ = SourceNetworks([network]).contains(source) }
        for version in ProxyHeaderVersion.allCases {
            let bytes = version.bytes(source: source, destination: destination)
            guard case .header(let from, let to, bytes.count) = ProxyHeader.read(bytes) else {
                return "\(version): what was written is no header: \(bytes)"
            }
            guard let from else { continue }
            if from.ip != source?.ip || to?.ip != destination?.ip || from.port != source?.port {
                return "\(version): \(from) and not \(source.map(\.description) ?? "nothing")"
            }
        }
        return nil
    }

    private static func address(_ input: inout FuzzInput) -> SocketAddress? {
        switch input.byte() & 3 {
        case 0: nil
        case 1: SocketAddress(kernelBytes: input.bytes())
        default: SocketAddress(ip: input.bytes(), port: input.number())
        }
    }
}
