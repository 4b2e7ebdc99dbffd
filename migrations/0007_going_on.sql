-- What a person's requests are (R44), and which request goes on from a closed one (R23).

CREATE INDEX requests_by_address ON requests (requester, id);
CREATE INDEX requests_of_installation ON requests (installation, id);
CREATE INDEX requests_continuing ON requests (continues_year, continues_count, id) WHERE continues_count IS NOT NULL;
