/// Called by libFuzzer with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzPostgres(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    fuzz(PostgresReader.self, start, count)
}
