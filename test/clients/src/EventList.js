import { graphql } from 'relay-runtime';

export const query = graphql`
  query EventListQuery($count: Int!, $cursor: String, $where: EventFilter) {
    ...EventList_events @arguments(count: $count, cursor: $cursor, where: $where)
  }
`;

export const list = graphql`
  fragment EventList_events on Query
  @refetchable(queryName: "EventListPaginationQuery")
  @argumentDefinitions(count: {type: "Int!"}, cursor: {type: "String"}, where: {type: "EventFilter"}) {
    events(first: $count, after: $cursor, where: $where) @connection(key: "EventList_events") {
      edges {
        node {
          id
          title
          startsLocal
        }
      }
    }
  }
`;
