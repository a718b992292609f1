package import FailoverConfiguration
package import FailoverCore
package import FailoverTLS

/// All facts that a diagnosis is based on.
package struct DoctorFacts: Sendable {
    package var configuration: Configuration
    /// The probe of each alias, by name. For an alias with several servers, it is the probe of the first server that
    /// has the required role, or of the first server if none has it.
    package var probes: [String: ServerProbe] = [:]
    /// The servers of each alias with several servers, by the alias's name.
    package var candidates: [String: [Candidate]] = [:]
    /// Why services that are not routes failed their ping, by name.
    package var failures: [String: PingFailure] = [:]
    /// The files that hold secrets, including the configuration, in the order of the configuration.
    package var files: [SecretFile] = []
    /// The certificates in each `tls_ca` and `client_ca` file, by path.
    package var authorities: [String: [CertificateFacts]] = [:]
    /// The certificate of each route with `client_tls`, by the route's name.
    package var certificates: [String: CertificateFacts] = [:]
    package var now: WallTime

    /// A server that an alias may move to.
    package struct Candidate: Sendable {
        package var endpoint: Endpoint
        package var probe: ServerProbe

        package init(endpoint: Endpoint, probe: ServerProbe) {
            self.endpoint = endpoint
            self.probe = probe
        }

        /// Whether it has the role that the alias requires.
        func has(_ role: DatabaseServer.Role?) -> Bool {
            guard let topology = probe.facts?.topology else { return false }
            return role == .replica ? topology.isReplica : !topology.isReadOnly
        }
    }

    package init(configuration: Configuration, now: WallTime) {
        self.configuration = configuration
        self.now = now
    }
}

/// A file that holds secrets.
package struct SecretFile: Hashable, Sendable {
    package var path: String
    /// The configuration keys whose values are in the file.
    package var keyPaths: [String]
    /// Whether the file is the configuration.
    package var isConfiguration: Bool
    /// Whether the file's mode allows all users to read it.
    package var isReadableByAll: Bool

    package init(path: String, keyPaths: [String], isConfiguration: Bool, isReadableByAll: Bool) {
        self.path = path
        self.keyPaths = keyPaths
        self.isConfiguration = isConfiguration
        self.isReadableByAll = isReadableByAll
    }
}
