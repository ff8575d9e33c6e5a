public import SharedState

/// Leases in Redis, by the clock of Redis.
///
/// A lease is a hash, which outlives it for the sake of its note. Sorted sets know the leases that are held by the time at
/// which they expire and by name, and those of each principal. The last token is a key that never expires; that the time
/// is part of it keeps tokens increasing after the data is lost.
public struct RedisLeaseStore: LeaseStore {
    private let client: RedisClient
    private let limits: LeaseLimits

    /// Creates a store on a client.
    public init(client: RedisClient, limits: LeaseLimits = LeaseLimits()) {
        self.client = client
        self.limits = limits
    }

    /// What all scripts begin with.
    private static let common = """
        local function read(key)
            local h = redis.call('HMGET', key, 'principal', 'agent', 'token', 'note', 'expiry', 'end', 'heir')
            if not h[1] then return nil end
            return {principal = h[1], agent = h[2], token = h[3], note = h[4], left = tonumber(h[5]) - now,
                ending = h[6], heir = h[7]}
        end
        local function answer(kind, h)
            return {kind, h.principal, h.agent, h.token, h.note, number(h.left), h.ending, h.heir}
        end
        -- held: somebody has it; reserved: for an heir; free: with what was left behind, or nothing.
        local function status(h)
            if not h then return 'free', nil end
            if h.ending == '' then
                if h.left > 0 then return 'held', h end
                h.ending = 'expired'
            elseif h.heir ~= '' and h.left > 0 then
                return 'reserved', h
            end
            if h.note == '' then return 'free', nil end
            return 'free', h
        end

        """

    // KEYS: the lease, held, names, those of the principal, the last token, notes
    private static let claim = RedisScript(
        withClock: common + """
            local name, principal, agent, lifetime, note = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4]), ARGV[5]
            local kind, former = status(read(KEYS[1]))
            if kind == 'held' then return answer('held', former) end
            if kind == 'reserved' and former.heir ~= principal
                and not (agent ~= '' and former.heir == agent and former.principal == principal) then
                return answer('reserved', former)
            end
            redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', now)
            local mine = redis.call('ZCARD', KEYS[4])
            if mine >= tonumber(ARGV[6]) then return {'yours are too many', mine} end
            if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[7]) then
                for _, old in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, 1000)) do
                    redis.call('ZREM', KEYS[2], old)
                    redis.call('ZREM', KEYS[3], old)
                end
                local all = redis.call('ZCARD', KEYS[2])
                if all >= tonumber(ARGV[7]) then return {'all are too many', all} end
            end
            local last = tonumber(redis.call('GET', KEYS[5]) or '0')
            local token = number(math.max(last + 1, time[1] * 1000000 + time[2]))
            redis.call('SET', KEYS[5], token)
            local expiry = number(now + lifetime)
            redis.call('DEL', KEYS[1])
            redis.call('HSET', KEYS[1], 'principal', principal, 'agent', agent, 'token', token, 'note', note,
                'expiry', expiry, 'end', '', 'heir', '')
            redis.call('PEXPIRE', KEYS[1], number(lifetime + tonumber(ARGV[8])))
            redis.call('ZADD', KEYS[2], expiry, name)
            redis.call('ZADD', KEYS[3], 0, name)
            redis.call('ZADD', KEYS[4], expiry, name)
            if redis.call('PTTL', KEYS[4]) < lifetime then redis.call('PEXPIRE', KEYS[4], number(lifetime)) end
            redis.call('ZREM', KEYS[6], name)
            if former then return {'granted', token, answer('former', former)} end
            return {'granted', token}
            """
    )

    private static let renew = RedisScript(
        withClock: common + """
            local name, lifetime = ARGV[1], tonumber(ARGV[4])
            local kind, h = status(read(KEYS[1]))
            if kind ~= 'held' or h.principal ~= ARGV[2] or h.token ~= ARGV[3] then return false end
            local expiry = number(now + lifetime)
            redis.call('HSET', KEYS[1], 'expiry', expiry)
            if ARGV[5] == '1' then
                redis.call('HSET', KEYS[1], 'note', ARGV[6])
                h.note = ARGV[6]
            end
            redis.call('PEXPIRE', KEYS[1], number(lifetime + tonumber(ARGV[7])))
            redis.call('ZADD', KEYS[2], expiry, name)
            redis.call('ZADD', KEYS[3], 0, name)
            redis.call('ZADD', KEYS[4], expiry, name)
            if redis.call('PTTL', KEYS[4]) < lifetime then redis.call('PEXPIRE', KEYS[4], number(lifetime)) end
            h.left = lifetime
            return answer('held', h)
            """
    )

    // The last of KEYS is what the names of leases begin with.
    private static let end = RedisScript(
        withClock: common + """
            local name = ARGV[1]
            local kind, h = status(read(KEYS[1]))
            if kind ~= 'held' or h.principal ~= ARGV[2] or h.token ~= ARGV[3] then return 0 end
            redis.call('ZREM', KEYS[2], name)
            redis.call('ZREM', KEYS[3], name)
            redis.call('ZREM', KEYS[4], name)
            local note, ending, heir = ARGV[4], ARGV[5], ARGV[6]
            if note == '' and heir == '' then
                redis.call('DEL', KEYS[1])
                return 1
            end
            redis.call('HSET', KEYS[1], 'note', note, 'end', ending, 'heir', heir,
                'expiry', number(now + tonumber(ARGV[7])))
            redis.call('PEXPIRE', KEYS[1], ARGV[8])
            redis.call('ZADD', KEYS[5], number(now), name)
            redis.call('ZREMRANGEBYSCORE', KEYS[5], '-inf', number(now - tonumber(ARGV[8])))
            while redis.call('ZCARD', KEYS[5]) > tonumber(ARGV[9]) do
                redis.call('DEL', KEYS[6] .. redis.call('ZPOPMIN', KEYS[5])[1])
            end
            return 1
            """
    )

    private static let status = RedisScript(
        withClock: common + """
            local kind, h = status(read(KEYS[1]))
            if not h then return {kind} end
            return answer(kind, h)
            """
    )

    // Looks at 1,000 names at a time, and at no more than 10,000.
    private static let list = RedisScript(
        withClock: common + """
            local from, limit, found, seen, last = ARGV[1], tonumber(ARGV[3]), {}, 0, nil
            while seen < 10000 do
                local names = redis.call('ZRANGEBYLEX', KEYS[1], from, ARGV[2], 'LIMIT', 0, 1000)
                for _, name in ipairs(names) do
                    if #found == limit then return {found, last} end
                    local kind, h = status(read(KEYS[2] .. name))
                    if kind == 'held' and (ARGV[4] == '' or h.principal == ARGV[4]) then
                        found[#found + 1] = {name, answer(kind, h)}
                    end
                    last = name
                end
                if #names < 1000 then return {found} end
                seen = seen + 1000
                from = '(' .. last
            end
            return {found, last}
            """
    )

    private static let takeExpired = RedisScript(
        withClock: common + """
            local names = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, 1000)
            for _, name in ipairs(names) do
                redis.call('ZREM', KEYS[1], name)
                redis.call('ZREM', KEYS[2], name)
            end
            local first = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
            if not first[2] then return {names} end
            return {names, number(math.max(0, tonumber(first[2]) - now))}
            """
    )

    /// The braces keep all leases on one node of a cluster, since each step changes several keys.
    private func key(_ parts: String...) -> String {
        self.client.name("lease", "{all}", parts.joined(separator: ":"))
    }

    private func of(_ principal: String) -> String { self.key("of", principal) }

    public func claim(
        _ resource: String,
        for holder: LeaseHolder,
        lifetime: Duration,
        note: String
    ) async throws(SharedStateError) -> LeaseClaim {
        let answer = try await self.client.run(
            Self.claim,
            keys: [
                self.key("item", resource), self.key("held"), self.key("names"), self.of(holder.principal),
                self.key("token"), self.key("notes"),
            ],
            [UInt8](redis: resource),
            [UInt8](redis: holder.principal),
            [UInt8](redis: holder.agent ?? ""),
            lifetime.redisMilliseconds,
            [UInt8](redis: note),
            [UInt8](redis: self.limits.perPrincipal),
            [UInt8](redis: self.limits.total),
            self.limits.noteLifetime.redisMilliseconds
        )
        guard let parts = answer.array, parts.count > 1 else { throw SharedStateError.strangeAnswer }
        switch parts[0].text {
        case "granted":
            guard let token = parts[1].integer else { throw SharedStateError.strangeAnswer }
            let lease = Lease(
                resource: resource,
                holder: holder,
                token: Int(token),
                note: note,
                remaining: lifetime
            )
            return .granted(lease, after: parts.count > 2 ? try LeaseFields(parts[2]).former : nil)
        case "held": return .held(try LeaseFields(answer).lease(on: resource))
        case "reserved":
            let fields = try LeaseFields(answer)
            return .reserved(try fields.former, remaining: fields.remaining)
        case "yours are too many": throw LeaseLimits.tooManyOfPrincipal(Int(parts[1].integer ?? 0))
        case "all are too many": throw LeaseLimits.tooMany(Int(parts[1].integer ?? 0))
        default: throw SharedStateError.strangeAnswer
        }
    }

    public func renew(
        _ resource: String,
        token: Int,
        principal: String,
        lifetime: Duration,
        note: String?
    ) async throws(SharedStateError) -> Lease? {
        let answer = try await self.client.run(
            Self.renew,
            keys: [self.key("item", resource), self.key("held"), self.key("names"), self.of(principal)],
            [UInt8](redis: resource),
            [UInt8](redis: principal),
            [UInt8](redis: token),
            lifetime.redisMilliseconds,
            [UInt8](redis: note == nil ? 0 : 1),
            [UInt8](redis: note ?? ""),
            self.limits.noteLifetime.redisMilliseconds
        )
        return answer.array == nil ? nil : try LeaseFields(answer).lease(on: resource)
    }

    public func end(
        _ resource: String,
        token: Int,
        principal: String,
        _ handover: LeaseHandover
    ) async throws(SharedStateError) -> Bool {
        let end: FormerLease.End = handover.isUnfinished ? .handedOver : .released
        let answer = try await self.client.run(
            Self.end,
            keys: [
                self.key("item", resource), self.key("held"), self.key("names"), self.of(principal),
                self.key("notes"), self.key("item", ""),
            ],
            [UInt8](redis: resource),
            [UInt8](redis: principal),
            [UInt8](redis: token),
            [UInt8](redis: handover.note),
            [UInt8](redis: end.rawValue),
            [UInt8](redis: handover.heir ?? ""),
            handover.reservation == .zero ? [UInt8](redis: 0) : handover.reservation.redisMilliseconds,
            self.limits.noteLifetime.redisMilliseconds,
            [UInt8](redis: self.limits.notes)
        )
        return answer.integer == 1
    }

    public func status(of resource: String) async throws(SharedStateError) -> LeaseStatus {
        let answer = try await self.client.run(Self.status, keys: [self.key("item", resource)])
        guard let parts = answer.array else { throw SharedStateError.strangeAnswer }
        switch parts.first?.text {
        case "held": return .held(try LeaseFields(answer).lease(on: resource))
        case "reserved":
            let fields = try LeaseFields(answer)
            return .reserved(try fields.former, remaining: fields.remaining)
        case "free": return .free(parts.count > 1 ? try LeaseFields(answer).former : nil)
        default: throw SharedStateError.strangeAnswer
        }
    }

    public func leases(
        withPrefix prefix: String,
        of principal: String?,
        after: String?,
        limit: Int
    ) async throws(SharedStateError) -> LeasePage {
        // Names are UTF-8, in which there is no byte 0xFF.
        let end = prefix.isEmpty ? Array("+".utf8) : Array("[\(prefix)".utf8) + [0xFF]
        let start: String =
            if let after, !after.utf8.lexicographicallyPrecedes(prefix.utf8) { "(\(after)" } else { "[\(prefix)" }
        let answer = try await self.client.run(
            Self.list,
            keys: [self.key("names"), self.key("item", "")],
            [UInt8](redis: start),
            end,
            [UInt8](redis: limit),
            [UInt8](redis: principal ?? "")
        )
        guard let parts = answer.array, let found = parts.first?.array else { throw SharedStateError.strangeAnswer }
        var leases: [Lease] = []
        for entry in found {
            guard let pair = entry.array, pair.count == 2, let name = pair[0].text else {
                throw SharedStateError.strangeAnswer
            }
            leases.append(try LeaseFields(pair[1]).lease(on: name))
        }
        return LeasePage(leases, next: parts.count > 1 ? parts[1].text : nil)
    }

    public func takeExpired() async throws(SharedStateError) -> ExpiredLeases {
        let answer = try await self.client.run(Self.takeExpired, keys: [self.key("held"), self.key("names")])
        guard let parts = answer.array, let names = parts.first?.array else { throw SharedStateError.strangeAnswer }
        return ExpiredLeases(
            names.compactMap(\.text),
            next: parts.count > 1 ? parts[1].integer.map { .milliseconds($0) } : nil
        )
    }
}

/// A lease as the scripts answer it: its kind, principal, agent, token, note, milliseconds left, end, and heir.
private struct LeaseFields {
    let remaining: Duration
    private let holder: LeaseHolder
    private let token: Int
    private let note: String
    private let end: FormerLease.End?
    private let heir: String?

    init(_ answer: RESPValue) throws(SharedStateError) {
        let texts = answer.array?.compactMap(\.text) ?? []
        guard texts.count == 8, let token = Int(texts[3]), let left = Int(texts[5]) else {
            throw SharedStateError.strangeAnswer
        }
        self.holder = LeaseHolder(principal: texts[1], agent: texts[2].isEmpty ? nil : texts[2])
        self.token = token
        self.note = texts[4]
        self.remaining = .milliseconds(left)
        self.end = FormerLease.End(rawValue: texts[6])
        self.heir = texts[7].isEmpty ? nil : texts[7]
    }

    func lease(on resource: String) -> Lease {
        Lease(resource: resource, holder: self.holder, token: self.token, note: self.note, remaining: self.remaining)
    }

    var former: FormerLease {
        get throws(SharedStateError) {
            guard let end else { throw SharedStateError.strangeAnswer }
            return FormerLease(holder: self.holder, note: self.note, end: end, heir: self.heir)
        }
    }
}
