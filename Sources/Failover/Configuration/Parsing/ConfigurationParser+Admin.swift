import FailoverCore

extension ConfigurationParser {
    /// The `admin` section.
    func readAdmin(_ section: Section) -> AdminConfiguration? {
        let section = section.checked(as: .admin)
        let token = section["token"].flatMap(secret)
        if let token, token.reveal().utf8.count < Self.shortestToken {
            section["token"]?.report("a token needs at least \(Self.shortestToken) characters")
        }
        guard let value = section.required("listen"), let elements = value.elements() else { return nil }
        if elements.isEmpty { value.report("needs at least one address to listen on") }
        let listen = elements.compactMap { element -> Endpoint? in
            guard let text = element.text() else { return nil }
            let endpoint = element.read { () throws(InvalidText) in try Endpoint(listenText: text) }
            if let endpoint, token == nil, section["token"] == nil, !endpoint.isOfThisMachineOnly {
                element.report("beyond this machine the admin interface needs a `token`")
            }
            return endpoint
        }
        return AdminConfiguration(listen: listen, token: token)
    }

    private static var shortestToken: Int { 8 }
}

extension Endpoint {
    /// Whether nobody on another machine can reach it.
    fileprivate var isOfThisMachineOnly: Bool {
        switch self {
        case .unix: true
        case .tcp(let host, _): host == "localhost" || host == "::1" || host.wholeMatch(of: /127(\.\d{1,3}){3}/) != nil
        }
    }
}
