package import FailoverChecks
package import FailoverCore

/// All that a diagnosis goes by.
package struct CheckupFacts: Sendable {
    package var configuration: Configuration
    /// Of each alias, by its name; of one that may be several servers, that of the one that it is.
    package var examinations: [String: Examination] = [:]
    /// Of each alias that may be several servers, by its name, all of these.
    package var candidates: [String: [Candidate]] = [:]
    /// Why services that are no routes failed their ping, by their names.
    package var failures: [String: PingFailure] = [:]
    /// The files that hold secrets, the configuration among them, in the order of the configuration.
    package var files: [SecretFile] = []
    /// The certificates in each `tls_ca`, by its path.
    package var authorities: [String: [CertificateFacts]] = [:]
    package var now: WallTime

    /// A server that an alias may be.
    package struct Candidate: Sendable {
        package var endpoint: Endpoint
        package var examination: Examination

        package init(endpoint: Endpoint, examination: Examination) {
            self.endpoint = endpoint
            self.examination = examination
        }

        /// Whether it has the role that the alias is to have.
        func has(_ role: DatabaseServer.Role?) -> Bool {
            guard let lineage = examination.facts?.lineage else { return false }
            return role == .replica ? lineage.isReplica : !lineage.isReadOnly
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
    /// The keys of the configuration whose values are in it.
    package var keyPaths: [String]
    /// Whether it is the configuration.
    package var isConfiguration: Bool
    /// Whether its mode lets everybody read it.
    package var isReadableByAll: Bool

    package init(path: String, keyPaths: [String], isConfiguration: Bool, isReadableByAll: Bool) {
        self.path = path
        self.keyPaths = keyPaths
        self.isConfiguration = isConfiguration
        self.isReadableByAll = isReadableByAll
    }
}
