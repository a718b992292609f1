// The fuzz targets are no part of the package: `scripts/fuzz` builds one with its reader and the shared test files.

/// Plays what the fuzzer thought of to a reader and ends the process if that violates what must hold.
func fuzz<Reader: SessionReader>(_: Reader.Type, _ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let script = SessionScript(records: UnsafeRawBufferPointer(start: start, count: count))
    if let violation = Reader.violation(in: script) { fatalError(violation) }
    return 0
}
