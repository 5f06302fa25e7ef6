package provider

import "github.com/aledotdev/marquee/internal/event"

// Brake is how much a snapshot of the source may take away unseen.
func (s *Source) Brake() event.Brake { return event.DefaultBrake() }
