/// What tells that a client takes its leave of an encrypted session: the records of TLS can be counted and measured,
/// though not read (RFC 8446 §5.1 and §5.2, RFC 5246 §6.2.3 and §7.2.1).
///
/// A client ends a session with PostgreSQL's Terminate or MySQL's COM_QUIT, five bytes each, and then with the alert
/// close_notify, two bytes; the end of its connection may come any time later.
enum TLSGoodbye {
    private static let alert: UInt8 = 21
    private static let applicationData: UInt8 = 23

    private struct Record {
        let type: UInt8
        let length: UInt8
    }

    private static let records = [
        // TLS 1.3 hides the type behind the contents and adds an authentication tag of 16 bytes.
        Record(type: applicationData, length: 2 + 1 + 16),
        Record(type: applicationData, length: 5 + 1 + 16),
        // TLS 1.2 with GCM, which sends a nonce of 8 bytes along, and with ChaCha20, which does not.
        Record(type: alert, length: 8 + 2 + 16),
        Record(type: applicationData, length: 8 + 5 + 16),
        Record(type: alert, length: 2 + 16),
        Record(type: applicationData, length: 5 + 16),
    ]

    private static let headerLength = 5

    /// The most bytes that a server sends in answer to a goodbye, which is its own close_notify.
    static let longestAnswer = headerLength + 8 + 2 + 16

    /// Whether these bytes of a client end with a record as long as a goodbye.
    ///
    /// A statement is longer than either, so what else looks like one is rare: another message of five bytes that is
    /// sent alone, as PostgreSQL's Sync can be.
    static func ends(_ bytes: UnsafeRawBufferPointer) -> Bool {
        records.contains { record in
            let start = bytes.count - headerLength - Int(record.length)
            // Type, version 3.x, length.
            return start >= 0 && bytes[start] == record.type && bytes[start + 1] == 3 && bytes[start + 3] == 0
                && bytes[start + 4] == record.length
        }
    }
}
