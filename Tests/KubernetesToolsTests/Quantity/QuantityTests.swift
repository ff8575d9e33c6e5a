import Testing

@testable import KubernetesTools

@Suite("Quantities")
struct QuantityTests {
    @Test(
        "CPU limits are canonical and requests are half of them, rounded up",
        arguments: [
            ("1", "1", "500m"), ("2", "2", "1"), ("3", "3", "1500m"), ("0.5", "500m", "250m"), (".5", "500m", "250m"),
            ("0.25", "250m", "125m"), ("1.5", "1500m", "750m"), ("1500m", "1500m", "750m"), ("125m", "125m", "63m"),
            ("1m", "1m", "1m"), ("3m", "3m", "2m"), ("0.0001", "1m", "1m"), ("2E-1", "200m", "100m"),
            ("0.1", "100m", "50m"), ("+1", "1", "500m"), ("2.", "2", "1"), ("1e0", "1", "500m"), ("100u", "1m", "1m"),
            ("1000000n", "1m", "1m"), ("1000001n", "2m", "1m"), ("1e-1000", "1m", "1m"),
            ("1e-99999999999999", "1m", "1m"),
            ("0500m", "500m", "250m"), ("9223372036854775807m", "9223372036854775807m", "4611686018427387904m"),
        ]
    )
    func cpu(text: String, limit: String, request: String) throws {
        let quantity = try Quantity.cpu(text)
        #expect(quantity.description == limit)
        #expect(quantity.half.description == request)
        #expect(try Quantity.cpu(limit) == Quantity.cpu(quantity.description))
    }

    @Test(
        "Memory limits keep their family of units and requests are half of them, rounded up",
        arguments: [
            ("512Mi", "512Mi", "256Mi"), ("1Gi", "1Gi", "512Mi"), ("1.5Gi", "1536Mi", "768Mi"), ("2Gi", "2Gi", "1Gi"),
            ("1Mi", "1Mi", "512Ki"), ("3Mi", "3Mi", "1536Ki"), ("1Ki", "1Ki", "512"), ("3Ki", "3Ki", "1536"),
            ("1G", "1G", "500M"), ("300M", "300M", "150M"), ("1.5G", "1500M", "750M"),
            ("129e6", "129000000", "64500000"), ("129E+6", "129000000", "64500000"),
            ("1.1Gi", "1127Mi", "577024Ki"), ("1.1Mi", "1127Ki", "577024"), ("1.23456789G", "1235M", "617500k"),
            ("1024Mi", "1Gi", "512Mi"), ("536870912", "536870912", "268435456"), ("0.5Ki", "512", "256"),
            ("2E", "2E", "1E"), ("7Ei", "7Ei", "3584Pi"), ("1.00Gi", "1Gi", "512Mi"), ("1", "1", "1"),
            ("9223372036854775807", "9223372036854775807", "4611686018427387904"),
        ]
    )
    func memory(text: String, limit: String, request: String) throws {
        let quantity = try Quantity.memory(text)
        #expect(quantity.description == limit)
        #expect(quantity.half.description == request)
    }

    @Test("Only amounts that had to be rounded say so")
    func rounding() throws {
        #expect(try Quantity.memory("1.1Gi").isRounded)
        #expect(try Quantity.memory("1.0000000001Ki").isRounded)
        #expect(try !Quantity.memory("1.5Gi").isRounded)
        #expect(try Quantity.cpu("0.0001").isRounded)
        #expect(try !Quantity.cpu("0.25").isRounded)
    }

    @Test(
        "What is no amount of CPU is refused",
        arguments: [
            "1Gi", "1Ki", "-1", "-500m", "0", "0m", "0.0", "abc", "1,5", "1 ", " 1", "", ".", "+", "1.2.3", "1e", "1e+",
            "1e1.5", "--1", "0x10", "1K", "500M", "2G", "1k", "2E", "½", "１", "1m\n", "1e400", "1e99999999999999999999",
            "9223372036854775808m", "123456789012345678901", "NaN", "inf", "1_000",
        ]
    )
    func refusedCPU(text: String) throws {
        let problem = try #require(Quantity.cpuProblem(text))
        #expect(problem.hasSuffix(".") || problem.hasSuffix("?"))
    }

    @Test(
        "What is no amount of memory is refused",
        arguments: [
            "500m", "5u", "5n", "1K", "1gb", "1GB", "1GiB", "256 Mi", "0", "0Mi", "-1Gi", "", "1gi", "1MI", "512mi",
            "Mi",
            "1,5Gi", "8Ei", "9.3E", "1e19", "9223372036854775808", "512Mi;", "1Gi\0", "1e3Mi",
            String(repeating: "0", count: 33),
        ]
    )
    func refusedMemory(text: String) {
        #expect(Quantity.memoryProblem(text) != nil)
    }

    @Test(
        "Frequent mistakes get a hint",
        arguments: [
            ("1gb", "Gi"), ("1K", "Ki"), ("512MB", "Mi"), ("2GiB", "Gi"), ("500m", "512Mi"), ("256 Mi", "spaces"),
        ]
    )
    func hints(text: String, hint: String) throws {
        #expect(try #require(Quantity.memoryProblem(text)).contains(hint))
    }

    @Test("Half is never zero, never above the whole, and never less than half")
    func halves() throws {
        for amount in (1...2_000).map({ "\($0)" }) + ["9223372036854775807", "9223372036854775806"] {
            let whole = try Quantity.memory(amount)
            let half = whole.half.amount
            #expect(half >= 1 && half <= whole.amount && half >= whole.amount - half)
        }
    }
}
