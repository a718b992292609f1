/// The parameters of a StartupMessage; chapter "Message Formats".
enum PostgresStartup {
    /// Length and protocol version.
    private static let headSize = 8

    /// The user of the login; `nil` if there is none.
    static func user(of message: [UInt8]) -> String? { value(of: "user", in: message) }

    /// The value of a parameter; `nil` if it is not there.
    static func value(of parameter: String, in message: [UInt8]) -> String? {
        var words = message.dropFirst(headSize).split(separator: 0, omittingEmptySubsequences: false)[...]
        while let name = words.popFirst(), !name.isEmpty, let value = words.popFirst() {
            if name.elementsEqual(parameter.utf8) { return String(decoding: value, as: UTF8.self) }
        }
        return nil
    }
}
