import FailoverCore
import FailoverSystem

extension ValueKind<String> {
    /// Text that is not empty.
    static var text: Self { Self(name: "text", write: { .text($0) }, read: { $0.text() }) }

    /// The group of a file, by name or number.
    static var group: Self {
        text.checked { SocketAccess.number(ofGroup: $0) == nil ? "no such group: \($0.quotedForMessage)" : nil }
    }

    /// A plain mail address without a display name. Text that could be an option or a second header is refused.
    static var mailAddress: Self {
        text.named("mail address").checked { text in
            let shape = /[A-Za-z0-9_.+=~#!%&'*\/?^{|}$][^\s<>,;:()\[\]\\"@]*(@[A-Za-z0-9.-]+)?/
            if text.wholeMatch(of: shape) != nil { return nil }
            return "expected a mail address such as ops@example.com, found \(text.quotedForMessage)"
        }
    }

    /// The absolute path of a program, without arguments.
    static var program: Self {
        let command = ValueKind<[String]>.command.checked { words in
            words.count == 1 ? nil : "expected one path; failover supplies the arguments"
        }
        return Self(name: "path", write: { .text($0) }, read: { command.read($0)?.first })
    }
}

extension ValueKind<[String]> {
    /// The absolute path of a program, then its arguments. No shell interprets them.
    static var command: Self {
        Self(name: "command", write: { .list($0.map(YAML.text)) }) { value in
            guard let elements = value.elements() else { return nil }
            let words = elements.compactMap { $0.scalar("expected text") }
            guard words.count == elements.count, words.allSatisfy({ !$0.utf8.contains(0) }) else { return nil }
            if words.first?.hasPrefix("/") == true { return words }
            value.report("expected the absolute path of a program, then its arguments: [/usr/local/bin/check, --fast]")
            return nil
        }
    }
}

extension ValueKind<[String: String]> {
    /// Names in the form of environment variables, each with a text.
    static var variables: Self {
        let write = { @Sendable (variables: [String: String]) -> YAML? in
            let sorted = variables.sorted { $0.key < $1.key }
            return sorted.isEmpty ? nil : .mapping(sorted.map { ($0.key, .text($0.value)) })
        }
        return Self(name: "section", write: write) { value in
            guard let section = value.section() else { return nil }
            var variables: [String: String] = [:]
            for (name, value) in section.entries {
                if name.wholeMatch(of: /[A-Za-z_][A-Za-z0-9_]*/) == nil {
                    value.report(
                        "the name of a setting consists of letters, digits and `_`, and does not start with a digit")
                } else if name.hasPrefix("FAILOVER_") {
                    value.report("names that start with FAILOVER_ are reserved for the proxy")
                } else if let text = value.scalar("expected text") {
                    if text.utf8.contains(0) { value.report("must not contain a NUL character") }
                    variables[name] = text
                }
            }
            return variables
        }
    }
}

extension ValueKind<Endpoint> {
    /// An address to listen on.
    static var listener: Self { address(Endpoint.init(listenText:)) }

    /// The address of a server, with its port.
    static var server: Self { address(Endpoint.init(serverText:)) }

    private static func address(_ parse: @escaping @Sendable (String) throws(InvalidText) -> Endpoint) -> Self {
        let expectation = "expected host:port, [v6]:port or unix:/path"
        return Self(name: "address", expectation: expectation, write: { .text($0.description) }, parse: parse)
    }
}

extension ValueKind<SourceNetworks> {
    /// Networks, at least one.
    static func networks(ifEmpty: String) -> Self {
        let network = ValueKind<SourceNetworks.Network>(
            name: "network", expectation: "expected a network such as 10.0.0.0/8", write: { .text($0.description) },
            parse: SourceNetworks.Network.init(text:))
        return ValueKind<[SourceNetworks.Network]>.list(network, ifEmpty: ifEmpty)
            .mapped({ SourceNetworks($0) }, { $0.networks })
    }
}
