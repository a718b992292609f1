import COpenSSL
import FailoverCore
import FailoverSystem

/// The keys of session tickets. A client that presents a ticket continues its TLS session without certificates.
///
/// New tickets use the first key. Tickets of the second one are still accepted, and replaced. A ticket is valid for
/// ``lifetimeSeconds``. When the first key is as old, the next new ticket gets a new first key, and the second one
/// leaves. Keys that leave are wiped.
package final class TicketKeys: Sendable {
    /// The key of some tickets: a name, a key of AES-256 and one of HMAC-SHA-256. It must not be logged.
    package struct Key: Hashable, Sendable {
        /// For a process that takes over.
        package private(set) var bytes: [UInt8]

        package static let size = 16 + 32 + 32

        /// A key of a predecessor; `nil` if it has the wrong size.
        package init?(bytes: [UInt8]) {
            guard bytes.count == Self.size else { return nil }
            self.bytes = bytes
        }

        /// A random key; `nil` if the system has no randomness.
        package init?() {
            _ = CryptoLibrary.survivesExit
            bytes = [UInt8](repeating: 0, count: Self.size)
            guard RAND_priv_bytes(&bytes, Int32(bytes.count)) == 1 else { return nil }
        }

        var name: ArraySlice<UInt8> { bytes[..<16] }

        fileprivate mutating func wipe() { OPENSSL_cleanse(&bytes, bytes.count) }
    }

    /// How long a ticket is valid.
    package static let lifetimeSeconds = 7200

    private struct State {
        /// The newest first.
        var keys: [Key]
        /// When the first one was made, or taken over.
        var since: ContinuousClock.Instant

        mutating func rotate(at now: ContinuousClock.Instant) {
            guard let key = Key() else { return }
            for index in keys.indices.dropFirst() { keys[index].wipe() }
            keys = [key] + keys.prefix(1)
            since = now
        }
    }

    private let state: Lock<State>
    private let now: @Sendable () -> ContinuousClock.Instant

    /// - Parameters:
    ///   - keys: those of a predecessor, the newest first. Only the first two are used.
    ///   - now: reads the clock; default: the system's.
    package init(
        _ keys: [Key] = [], now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) throws(TLSFailure) {
        var keys = Array(keys.prefix(2))
        if keys.isEmpty {
            guard let key = Key() else { throw .local("session tickets") }
            keys = [key]
        }
        state = Lock(State(keys: keys, since: now()))
        self.now = now
    }

    deinit {
        state.withLock { state in for index in state.keys.indices { state.keys[index].wipe() } }
    }

    /// The keys, the newest first, for a process that takes over.
    package var exported: [Key] { state.withLock { $0.keys } }

    /// What OpenSSL calls when it makes or opens a ticket; SSL_CTX_set_tlsext_ticket_key_evp_cb(3).
    static let callback:
        @convention(c) (
            OpaquePointer?, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt8>?, OpaquePointer?, OpaquePointer?,
            Int32
        ) -> Int32 = { session, name, vector, cipher, mac, isNew in
            guard let session, let name, let vector, let owner = failover_tls_owner(session) else { return -1 }
            let keys = Unmanaged<TicketKeys>.fromOpaque(owner).takeUnretainedValue()
            return keys.state.withLock { state in
                if isNew != 0 {
                    let now = keys.now()
                    if state.since.duration(to: now) >= .seconds(lifetimeSeconds) { state.rotate(at: now) }
                    guard let key = state.keys.first,
                        RAND_bytes(vector, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) == 1
                    else { return -1 }
                    for (index, byte) in key.name.enumerated() { name[index] = byte }
                    return use(key, vector, cipher, mac, isNew: true) ? 1 : -1
                }
                let sought = UnsafeBufferPointer(start: name, count: 16)
                guard let index = state.keys.firstIndex(where: { $0.name.elementsEqual(sought) }) else { return 0 }
                guard use(state.keys[index], vector, cipher, mac, isNew: false) else { return -1 }
                // 2 asks for a new ticket.
                return index == 0 ? 1 : 2
            }
        }

    private static func use(
        _ key: Key, _ vector: UnsafeMutablePointer<UInt8>, _ cipher: OpaquePointer?, _ mac: OpaquePointer?, isNew: Bool
    ) -> Bool {
        var bytes = key.bytes
        defer { OPENSSL_cleanse(&bytes, bytes.count) }
        return bytes.withUnsafeMutableBufferPointer { bytes in
            guard let start = bytes.baseAddress else { return false }
            let initialise = isNew ? EVP_EncryptInit_ex : EVP_DecryptInit_ex
            return failover_tls_set_ticket_key(mac, start + 48, 32) == 1
                && initialise(cipher, EVP_aes_256_cbc(), nil, start + 16, vector) == 1
        }
    }
}

extension TicketKeys.Key: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "(hidden)" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
