// Package chart holds the tests of charts/marquee that want no cluster: what it renders is decoded strictly, put through the
// API server's own validation and the Pod Security evaluator, and compared with golden manifests; what it has to refuse
// is refused with a message that says what to change.
package chart
