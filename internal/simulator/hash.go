package simulator

// hash mixes its parts into one number, by SplitMix64's finaliser, once for each part. Everything that looks random in
// this package is made by it: the same parts give the same number in every process and on every machine.
func hash(parts ...uint64) uint64 {
	h := uint64(0x9e3779b97f4a7c15)
	for _, p := range parts {
		h += p + 0x9e3779b97f4a7c15
		h = (h ^ h>>30) * 0xbf58476d1ce4e5b9
		h = (h ^ h>>27) * 0x94d049bb133111eb
		h ^= h >> 31
	}
	return h
}

// below turns a hash into a number from 0 to n-1.
func below(h uint64, n int) int { return int(h % uint64(n)) }
