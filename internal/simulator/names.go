package simulator

import "fmt"

// names makes titles. Everything here is invented. Some have accents, ampersands and quotes, which a reader of the feed
// must not lose.
type names struct {
	acts   []string
	works  []string
	venues []string
}

// title is the title of a production. Its parts differ from those of the production before, if there are several to choose from, and
// depend on the seed.
func (n names) title(seed uint64, number int) string {
	i := number + below(hash(seed, uint64(len(n.acts))), 1000)
	act, venue := n.acts[i%len(n.acts)], n.venues[i%len(n.venues)]
	if len(n.works) == 0 {
		return fmt.Sprintf("%s (%s)", act, venue)
	}
	return fmt.Sprintf("%s: %s (%s)", act, n.works[(i+i/len(n.acts))%len(n.works)], venue)
}

func concerts() names {
	return names{
		acts: []string{
			"Nieves & the Paper Boats", "The Lanternfish", "Ana Quintero y su Noche", "Moth Parade", "Los Faros del Sur",
			"Velvet Barometer", "Glass Tram", "Sœurs Marée", "Tin Cathedral", "Òscar Vidre",
		},
		works:  []string{"Harbour Lights", "Slow Weather", "Canciones de sal", "Ten Winters On", "The Yellow Tour", "Unplugged"},
		venues: []string{"Sala Mercurio", "Palau Brisa", "Teatro Alborán"},
	}
}

func recitals() names {
	return names{
		acts:   []string{"Quartet Albada", "The Tidewater Consort", "Irena Holz, piano", "Cor de Cambra Ginesta", "Duo Farrow & Lind"},
		works:  []string{"Music for Small Hours", "Six Nocturnes", "From Lute to Loop", "Songs without Rooms"},
		venues: []string{"Capilla de San Telmo", "Church of the Three Keys"},
	}
}

func plays() names {
	return names{
		acts: []string{
			"The Cartographer's Daughter", "La casa de los relojes", "A Short History of Rain", "Nobody's Lighthouse",
			"El último apuntador", "Two Chairs, One Storm",
		},
		venues: []string{"Teatro Alborán", "Little Foundry Theatre"},
	}
}

func cellar() names {
	return names{
		acts:   []string{"Open Cellar: stand-up every night", `"Any Questions?": improvised comedy nightly`, "The Ten O'Clock Jokes"},
		venues: []string{"The Cellar at Number 9"},
	}
}

func exhibitions() names {
	return names{
		acts: []string{
			"Maps of Places That Moved", "Blue before Blue", "The Weight of Paper", "Máquinas para soñar", "Gardens under Glass",
		},
		venues: []string{"Museo Ribalta", "Kiln Gallery"},
	}
}

func freeExhibitions() names {
	return names{
		acts:   []string{"Posters of the Night Market", "A Town in 300 Doors", "Retratos del barrio", "Radios That Still Work"},
		venues: []string{"Old Customs House"},
	}
}

func festivals() names {
	return names{
		acts:   []string{"Festival Marea Alta", "Three Bridges Festival", "Sierra Sonora", "Long Meadow Weekend"},
		venues: []string{"Long Meadow"},
	}
}

func midnights() names {
	return names{
		acts: []string{
			"Midnight Picture Palace", "The Late, Late Séance", "Cabaret de la Luna", "Ghost Stories in the Dark", "Vinyl at Midnight",
		},
		venues: []string{"Sala Mercurio", "Cine Doré Viejo"},
	}
}

func galas() names {
	return names{
		acts:   []string{"Grand Gala of Magic", "The Winter Circus", "Ballet Ondina", "The Brass & Silver Ball", "Ópera del Puerto"},
		works:  []string{"First Night", "Anniversary", "The Return"},
		venues: []string{"Palau Brisa", "Grand Meridian"},
	}
}

func matinees() names {
	return names{
		acts:   []string{"Captain Button's Puppet Ship", "El ratón bibliotecario", "The Bear Who Hummed", "Snail's Orchestra"},
		venues: []string{"Teatro Pulgarcito"},
	}
}

func parks() names {
	return names{
		acts:   []string{"Brass in the Park", "Banda del Retiro Chico", "Ukulele Picnic", "Choirs < 20 voices", "Swing on the Grass"},
		venues: []string{"Rosaleda Bandstand"},
	}
}

func comedians() names {
	return names{
		acts:   []string{"Marta Roldán", "Old Tom Farrow", "Ivo & Ivo", "Lady Teaspoon"},
		works:  []string{"Sorry, Wrong Planet", "Todo mal", "Still Not Funny", "A Lecture on Spoons"},
		venues: []string{"Little Foundry Theatre", "Teatro Alborán"},
	}
}

func popUpNames() names {
	return names{
		acts: []string{
			"Secret Gig", "Rooftop Jazz", "Tasting & Tales", "Poetry Slam", "Living-room Opera", "Silent Disco", "Work in Progress",
		},
		works:  []string{"by popular demand", "one night only", "extra date", "last minute", "rehearsal, open doors"},
		venues: []string{"Kiln Gallery", "Terraza Norte", "Little Foundry Theatre", "The Cellar at Number 9"},
	}
}
