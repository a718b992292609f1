/// Called by libFuzzer with each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzMySQL(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt { fuzz(MySQLReader.self, start, count) }
