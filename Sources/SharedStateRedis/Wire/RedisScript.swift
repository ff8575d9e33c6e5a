import Crypto

/// A program in Lua that Redis runs as one step.
///
/// Its text is a constant. What varies is in its keys and arguments.
struct RedisScript: Sendable {
    let text: String
    /// SHA-1 of the text in hexadecimal, under which the server knows the script once it has seen it.
    let digest: String

    init(_ text: String) {
        self.text = text
        self.digest = Insecure.SHA1.hash(data: Array(text.utf8)).map { byte in
            let hex = String(byte, radix: 16)
            return byte < 16 ? "0" + hex : hex
        }.joined()
    }

    /// A program that knows the time: `time` as `TIME` answers it, `now` in whole milliseconds since 1970, and `number`,
    /// which writes whole numbers out where Lua would round them.
    init(withClock text: String) {
        self.init(
            """
            local time = redis.call('TIME')
            local now = time[1] * 1000 + math.floor(time[2] / 1000)
            local function number(n) return string.format('%.0f', n) end

            """ + text
        )
    }

    func command(byDigest: Bool, keys: [String], _ arguments: [[UInt8]]) -> RedisCommand {
        RedisCommand(
            [
                [UInt8](redis: byDigest ? "EVALSHA" : "EVAL"), [UInt8](redis: byDigest ? self.digest : self.text),
                [UInt8](redis: keys.count),
            ] + keys.map { [UInt8](redis: $0) } + arguments
        )
    }
}
