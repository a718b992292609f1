import FailoverCore
import FailoverSystem

/// Certificates for tests, which openssl(1) makes by a script.
package enum CertificateScript {
    /// What the scripts have in common.
    ///
    /// - `authority NAME` makes the authority `NAME.pem`.
    /// - `leaf NAME SUBJECT AUTHORITY DAYS NAMES [KEY]` makes a certificate of that authority for the alternative names.
    /// - `alone NAME SUBJECT [OPTION...]` makes a certificate that is its own authority.
    ///
    /// The key of NAME.pem is `NAME.key`. `$ec` is the kind of key unless another one is named.
    private static let functions = """
        set -e
        cd "$1"
        ec="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
        authority() {
          openssl req -x509 $ec -days 30 -keyout $1.key -out $1.pem -subj "/CN=$1" \
            -addext 'keyUsage=critical,keyCertSign,cRLSign'
        }
        leaf() {
          openssl req ${6:-$ec} -keyout $1.key -out $1.csr -subj "$2"
          openssl x509 -req -in $1.csr -CA $3.pem -CAkey $3.key -CAcreateserial -days $4 -out $1.pem \
            -extfile <(echo "subjectAltName=$5")
        }
        alone() { openssl req -x509 $ec -days 30 -keyout $1.key -out $1.pem -subj "$2" "${@:3}"; }

        """

    /// Runs the script in the folder. `$2` and further words are the arguments.
    package static func run(_ script: String, in folder: String, _ arguments: [String] = []) throws {
        let command = Command(["/bin/bash", "-c", functions + script, "bash", folder] + arguments)
        let made = try ChildProcess.run(command, until: Deadline(.ample))
        guard made.succeeded else { throw PingFailure(.local, "openssl: \(made.summary)") }
    }
}
