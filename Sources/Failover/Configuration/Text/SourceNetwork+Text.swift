import FailoverProxy
import FailoverSystem

extension SourceNetworks.Network {
    /// `10.0.0.0/8`, `2001:db8::/32`, or one address.
    init(text: String) throws(InvalidText) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPText.bytes(of: String(first)) else {
            throw InvalidText("expected a network such as 10.0.0.0/8 or ::1/128, found \(text.quotedForMessage)")
        }
        let most = address.count * 8
        guard parts.count == 2 else {
            self.init(address: address, prefixLength: most)
            return
        }
        guard let length = Int(parts[1]), (0...most).contains(length), parts[1].allSatisfy(\.isNumber) else {
            throw InvalidText("expected a prefix length from 0 to \(most), found \(String(parts[1]).quotedForMessage)")
        }
        self.init(address: address, prefixLength: length)
    }
}
